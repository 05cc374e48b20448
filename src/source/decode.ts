import { pathText } from "../paths.ts";
import type { Actor, ChangeKind, KernelEvent, NodeKey } from "../event.ts";
import { containerOf, ttyName } from "./cgroup.ts";
import type { Opened } from "./source.ts";

/**
 * Offsets and sizes of bpf/event.h, in bytes. test/unit/source/decode.test.ts compares every one of
 * them with the BTF of the object that is embedded.
 */
export const LAYOUT = {
  event: { time: 0, node: 8, kind: 24, entries: 28, mount_namespace: 32, unused: 36, actor: 40 },
  node: { inode: 0, device: 8, generation: 12 },
  actor: {
    start: 0,
    pid: 8,
    ppid: 12,
    uid: 16,
    euid: 20,
    loginuid: 24,
    session: 28,
    args_length: 32,
    ancestor_count: 36,
    comm: 40,
    tty: 56,
    executable: 72,
    cgroup: 76,
    ancestors: 80,
    args: 368,
    strings: 880,
  },
  ancestor: { pid: 0, comm: 4, executable: 20 },
  path_span: { end: 0, state: 2 },
  entry: { directory: 0, name: 16 },
  entry_event: { event: 0, entry: 2200 },
  addressee: { device: 0, inode: 8, pid: 16, tgid: 20 },
  sent_signal: { sender: 0, unused: 4, actor: 8 },
  opened: { monitor: 0, writers: 4, mappings: 8, layered: 12, node: 16, layer: 32 },
} as const;

export const SIZE = {
  event: 2200,
  node: 16,
  actor: 2160,
  ancestor: 24,
  path_span: 4,
  entry: 272,
  entry_event: 2744,
  addressee: 24,
  sent_signal: 2168,
  opened: 48,
  comm: 16,
  tty: 16,
  ancestors: 288,
  args: 512,
  strings: 1280,
};

/** In the order of enum change_kind. */
export const KINDS: readonly ChangeKind[] = [
  "write",
  "close",
  "attributes",
  "birth",
  "gone",
  "rename",
  "dirty",
  "mount",
  "freed",
  "store",
  "lookup",
];

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
  const { event } = LAYOUT;
  if (record.length < event.actor) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const kind = KINDS[view.getUint32(event.kind, true)];
  const time = view.getBigUint64(event.time, true) + clocks.monotonic;
  const node = decodeNode(view, event.node);
  const generation = view.getUint32(event.node + LAYOUT.node.generation, true);
  if (kind === "freed") return { time, kind, node, generation, entries: [], actor: undefined };
  if (record.length < SIZE.event) return undefined;
  const count = view.getUint32(event.entries, true);
  if (kind === undefined || count > 2 || (count > 0 && record.length < SIZE.entry_event)) return undefined;
  const entries = [];
  for (let i = 0; i < count; i++) {
    const entry = LAYOUT.entry_event.entry + i * SIZE.entry;
    const directory = decodeNode(view, entry + LAYOUT.entry.directory);
    const name = pathText(beforeNul(record.subarray(entry + LAYOUT.entry.name, entry + SIZE.entry)));
    if (directory !== undefined) entries.push({ directory, name });
  }
  const mountNamespace = view.getUint32(event.mount_namespace, true);
  return {
    time,
    kind,
    node,
    generation,
    entries,
    ...(mountNamespace === 0 ? {} : { mountNamespace }),
    actor: decodeActor(record.subarray(event.actor, event.actor + SIZE.actor), clocks),
  };
}

/** A struct opened that says who asks. @param pid of the process whose main thread opens files */
export function encodeMonitor(pid: number): Uint8Array {
  const record = new Uint8Array(SIZE.opened);
  new DataView(record.buffer).setUint32(LAYOUT.opened.monitor, pid, true);
  return record;
}

/** A struct opened; undefined if it is not about the inode. */
export function decodeOpened(record: Uint8Array, node: NodeKey): Opened | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { opened } = LAYOUT;
  if (decodeNode(view, opened.node) !== node) return undefined;
  return {
    writers: view.getUint32(opened.writers, true),
    mappings: view.getUint32(opened.mappings, true),
    layer: readNode(view, opened.layer),
  };
}

/** A struct addressee. @param namespace device and inode of the PID namespace that the process id is of */
export function encodeAddressee(pid: number, namespace: { device: number; inode: bigint }): Uint8Array {
  const record = new Uint8Array(SIZE.addressee);
  const view = new DataView(record.buffer);
  const { addressee } = LAYOUT;
  view.setBigUint64(addressee.device, BigInt(namespace.device), true);
  view.setBigUint64(addressee.inode, namespace.inode, true);
  view.setUint32(addressee.pid, pid, true);
  return record;
}

/** Whether a struct addressee has its answer. */
export function isFound(record: Uint8Array): boolean {
  return new DataView(record.buffer, record.byteOffset).getUint32(LAYOUT.addressee.tgid, true) !== 0;
}

/** Who sent a signal. */
export type Sender = Actor | "kernel";

/** SENDER_PROCESS, SENDER_KERNEL of enum sender. */
const SENDER_PROCESS = 1;
const SENDER_KERNEL = 2;

/** A struct sent_signal; undefined where none was sent. */
export function decodeSender(record: Uint8Array, clocks: ClockOffsets): Sender | undefined {
  const { sender, actor } = LAYOUT.sent_signal;
  const kind = new DataView(record.buffer, record.byteOffset).getUint32(sender, true);
  if (kind === SENDER_KERNEL) return "kernel";
  return kind === SENDER_PROCESS ? decodeActor(record.subarray(actor, actor + SIZE.actor), clocks) : undefined;
}

function decodeNode(view: DataView, offset: number): NodeKey | undefined {
  const node = readNode(view, offset);
  return node && nodeKey(node.device, node.inode);
}

function readNode(view: DataView, offset: number): { device: number; inode: bigint } | undefined {
  const inode = view.getBigUint64(offset + LAYOUT.node.inode, true);
  const device = view.getUint32(offset + LAYOUT.node.device, true);
  return inode === 0n && device === 0 ? undefined : { device, inode };
}

/** A struct actor, of the right size. */
export function decodeActor(record: Uint8Array, clocks: ClockOffsets): Actor {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { actor } = LAYOUT;
  const number = (field: keyof typeof actor) => view.getUint32(actor[field], true);
  const paths = new Paths(record, view);
  const executable = paths.next(actor.executable) ?? "";
  const cgroup = paths.next(actor.cgroup);
  const ancestors = [];
  const count = Math.min(number("ancestor_count"), SIZE.ancestors / SIZE.ancestor);
  for (let i = 0; i < count; i++) {
    const at = actor.ancestors + i * SIZE.ancestor;
    const comm = at + LAYOUT.ancestor.comm;
    ancestors.push({
      pid: view.getUint32(at + LAYOUT.ancestor.pid, true),
      name: untilNul(record.subarray(comm, comm + SIZE.comm)),
      executable: paths.next(at + LAYOUT.ancestor.executable) ?? "",
    });
  }
  const loginuid = number("loginuid");
  return {
    process: {
      pid: number("pid"),
      ppid: number("ppid"),
      name: untilNul(record.subarray(actor.comm, actor.comm + SIZE.comm)),
      executable,
      args: decodeArgs(
        record.subarray(actor.args, actor.args + Math.min(number("args_length"), SIZE.args)),
        number("args_length") > SIZE.args,
      ),
      tty: ttyName(untilNul(record.subarray(actor.tty, actor.tty + SIZE.tty))),
      session: number("session"),
      cgroup,
      container: containerOf(cgroup ?? ""),
      start: new Date(Number((view.getBigUint64(actor.start, true) + clocks.boottime) / 1_000_000n)).toISOString(),
      ancestors,
    },
    uid: number("uid"),
    euid: number("euid"),
    loginuid: loginuid === NO_LOGIN ? undefined : loginuid,
  };
}

/** enum path_state */
const PATH_CUT = 1;
const PATH_NONE = 2;

/** The paths in an actor's strings, which follow one another. */
class Paths {
  readonly #record: Uint8Array;
  readonly #view: DataView;
  #begin = 0;

  constructor(record: Uint8Array, view: DataView) {
    this.#record = record;
    this.#view = view;
  }

  /** The path that the path_span at this offset ends; undefined for none. */
  next(span: number): string | undefined {
    const begin = this.#begin;
    const end = Math.min(this.#view.getUint16(span + LAYOUT.path_span.end, true), SIZE.strings);
    const state = this.#view.getUint16(span + LAYOUT.path_span.state, true);
    this.#begin = end;
    if (state >= PATH_NONE) return undefined;
    const { strings } = LAYOUT.actor;
    return decodePath(this.#record.subarray(strings + begin, strings + Math.max(begin, end)), state === PATH_CUT);
  }
}

/** Components from the leaf to the root, each ended by NUL, to a path; "" for one that nothing fitted of. */
function decodePath(bytes: Uint8Array, cut: boolean): string {
  if (cut && bytes.length === 0) return "";
  return (cut ? "…/" : "/") + strings(bytes).reverse().join("/");
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
