import { pathText } from "../paths.ts";
import type { Actor, ChangeKind, KernelEvent, NodeKey } from "../event.ts";

/**
 * Offsets and sizes of bpf/event.h, in bytes. test/unit/source/decode.test.ts compares every one of
 * them with the BTF of the object that is embedded.
 */
export const LAYOUT = {
  event: {
    time: 0,
    start: 8,
    node: 16,
    kind: 32,
    entries: 36,
    pid: 40,
    ppid: 44,
    uid: 48,
    euid: 52,
    loginuid: 56,
    session: 60,
    args_length: 64,
    executable_length: 68,
    executable_cut: 72,
    comm: 76,
    args: 92,
    executable: 604,
  },
  node: { inode: 0, device: 8, generation: 12 },
  entry: { directory: 0, name: 16 },
  entry_event: { event: 0, entry: 1376 },
} as const;

export const SIZE = { event: 1376, node: 16, entry: 272, entry_event: 1920, comm: 16, args: 512, executable: 768 };

/** In the order of enum change_kind. */
export const KINDS: readonly ChangeKind[] = ["write", "close", "attributes", "birth", "gone", "rename"];

/** loginuid of a process that nobody logged in for (AUDIT_UID_UNSET, linux/audit.h). */
const NO_LOGIN = 0xffff_ffff;

/** The difference of the clocks that the kernel stamps with to CLOCK_REALTIME, in nanoseconds. */
export interface ClockOffsets {
  readonly monotonic: bigint;
  readonly boottime: bigint;
}

/** An inode's key in the ebpf source: s_dev and i_ino, as the watch map has them. */
export function nodeKey(device: number, inode: bigint): NodeKey {
  return `${device}:${inode}` as NodeKey;
}

/** What nodeKey was made from. */
export function parseNodeKey(key: NodeKey): { readonly device: number; readonly inode: bigint } {
  const [device = "", inode = ""] = key.split(":");
  return { device: Number(device), inode: BigInt(inode) };
}

/**
 * One record of the ring buffer. Returns undefined for a record that cannot be one of ours: too
 * short, or of a kind that this version does not know.
 */
export function decodeEvent(record: Uint8Array, clocks: ClockOffsets): KernelEvent | undefined {
  if (record.length < SIZE.event) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { event } = LAYOUT;
  const kind = KINDS[view.getUint32(event.kind, true)];
  const count = view.getUint32(event.entries, true);
  if (kind === undefined || count > 2 || (count > 0 && record.length < SIZE.entry_event)) return undefined;
  const entries = [];
  for (let i = 0; i < count; i++) {
    const entry = LAYOUT.entry_event.entry + i * SIZE.entry;
    const directory = decodeNode(view, entry + LAYOUT.entry.directory);
    const name = pathText(beforeNul(record.subarray(entry + LAYOUT.entry.name, entry + SIZE.entry)));
    if (directory !== undefined) entries.push({ directory, name });
  }
  return {
    time: view.getBigUint64(event.time, true) + clocks.monotonic,
    kind,
    node: decodeNode(view, event.node),
    entries,
    actor: decodeActor(record, clocks),
  };
}

function decodeNode(view: DataView, offset: number): NodeKey | undefined {
  const inode = view.getBigUint64(offset + LAYOUT.node.inode, true);
  const device = view.getUint32(offset + LAYOUT.node.device, true);
  return inode === 0n && device === 0 ? undefined : nodeKey(device, inode);
}

/** The actor's part of a struct event of the right size. */
export function decodeActor(record: Uint8Array, clocks: ClockOffsets): Actor {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { event } = LAYOUT;
  const number = (field: keyof typeof event) => view.getUint32(event[field], true);
  const loginuid = number("loginuid");
  return {
    process: {
      pid: number("pid"),
      ppid: number("ppid"),
      name: untilNul(record.subarray(event.comm, event.comm + SIZE.comm)),
      executable: decodePath(
        record.subarray(event.executable, event.executable + Math.min(number("executable_length"), SIZE.executable)),
        number("executable_cut") !== 0,
      ),
      args: decodeArgs(
        record.subarray(event.args, event.args + Math.min(number("args_length"), SIZE.args)),
        number("args_length") > SIZE.args,
      ),
      start: new Date(Number((view.getBigUint64(event.start, true) + clocks.boottime) / 1_000_000n)).toISOString(),
      session: number("session"),
    },
    uid: number("uid"),
    euid: number("euid"),
    loginuid: loginuid === NO_LOGIN ? undefined : loginuid,
  };
}

/** Components from the leaf to the root, each ended by NUL, to a path. */
function decodePath(bytes: Uint8Array, cut: boolean): string {
  const components = strings(bytes).reverse();
  if (components.length === 0) return "";
  return (cut ? "…/" : "/") + components.join("/");
}

/** NUL-separated argv, the last one marked if the kernel had no room for all. */
function decodeArgs(bytes: Uint8Array, cut: boolean): string[] {
  const args = strings(bytes);
  return cut ? [...args.slice(0, -1), `${args.at(-1) ?? ""}…`] : args;
}

function strings(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const end = bytes.at(-1) === 0 ? -1 : bytes.length;
  return text(bytes.subarray(0, end)).split("\0");
}

function untilNul(bytes: Uint8Array): string {
  return text(beforeNul(bytes));
}

function beforeNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
