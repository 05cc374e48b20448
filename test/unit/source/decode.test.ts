import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KernelEvent, NodeKey } from "../../../src/event.ts";
import { EXCLUDED_NAME, NAMES, SCOPES, SCOPES_BELOW, SHAPES } from "../../../src/kernel/excludes.ts";
import { type ClockOffsets, KINDS, LAYOUT, SIZE, decodeEvent, nodeKey } from "../../../src/source/decode.ts";
import { Btf } from "./btf.ts";

const project = join(import.meta.dir, "../../..");
const btf = new Btf(readFileSync(join(project, "dist/bpfink.bpf.o")));
const structs = {
  event: btf.struct("event"),
  node: btf.struct("node"),
  actor: btf.struct("actor"),
  ancestor: btf.struct("ancestor"),
  path_span: btf.struct("path_span"),
  entry: btf.struct("entry"),
  entry_event: btf.struct("entry_event"),
  addressee: btf.struct("addressee"),
  sent_signal: btf.struct("sent_signal"),
  opened: btf.struct("opened"),
};
type StructName = keyof typeof structs;

const offsetsOf = (name: StructName) =>
  Object.fromEntries(Object.entries(structs[name].members).map(([member, { offset }]) => [member, offset]));

describe("the decoder has the layout of the object's BTF:", () => {
  test.each(Object.keys(structs) as StructName[])("offsets of struct %s", (name) => {
    expect(offsetsOf(name)).toEqual(LAYOUT[name]);
  });

  test("sizes of structs and arrays", () => {
    const arrays = ["comm", "tty", "ancestors", "args", "strings"];
    const members = arrays.map((name) => [name, structs.actor.members[name]!.size]);
    const sizes = Object.entries(structs).map(([name, { size }]) => [name, size]);
    expect(Object.fromEntries([...sizes, ...members])).toEqual(SIZE);
  });

  test("widths of the numbers that it reads", () => {
    const sizesOf = (name: StructName, ...without: string[]) =>
      Object.entries(structs[name].members).flatMap(([member, { size }]) => (without.includes(member) ? [] : [size]));
    expect(sizesOf("event", "node", "actor")).toEqual([8, 4, 4, 4, 4]);
    const notNumbers = ["comm", "tty", "executable", "cgroup", "ancestors", "args", "strings"];
    expect(sizesOf("actor", ...notNumbers)).toEqual([8, 4, 4, 4, 4, 4, 4, 4, 4]);
    expect(sizesOf("addressee")).toEqual([8, 8, 4, 4]);
    expect(sizesOf("sent_signal", "actor")).toEqual([4, 4]);
    expect(sizesOf("path_span")).toEqual([2, 2]);
    expect(structs.ancestor.members).toMatchObject({ pid: { size: 4 }, comm: { size: SIZE.comm } });
    expect(structs.node.members).toMatchObject({ inode: { size: 8 }, device: { size: 4 } });
    expect(structs.entry_event.members["entry"]!.size).toBe(2 * structs.entry.size);
  });

  test("kinds, which are macros to the compiler and so only in the header", () => {
    const header = readFileSync(join(project, "bpf/event.h"), "utf8");
    const body = /enum change_kind \{([^}]*)\}/.exec(header)?.[1] ?? "";
    const values = [...body.matchAll(/CHANGE_(\w+) = (\d+)/g)].map(([, name, value]) => [value, name?.toLowerCase()]);
    expect(values).toEqual(KINDS.map((kind, value) => [String(value), kind]));
  });

  test("what is excluded, as src/kernel/excludes.ts writes it, and the bits of scopes", () => {
    const { size, shape, prefix, prefixSize, suffix, suffixSize } = EXCLUDED_NAME;
    expect(btf.struct("excluded_name")).toEqual({
      size,
      members: {
        shape: { offset: shape, size: 4 },
        prefix: { offset: prefix, size: prefixSize },
        suffix: { offset: suffix, size: suffixSize },
      },
    });
    const one = { size: 1 };
    expect(btf.struct("shape")).toMatchObject({
      size: 4,
      members: { kind: { offset: 0, ...one }, prefix: { offset: 1, ...one }, suffix: { offset: 2, ...one } },
    });
    const header = (name: string) => readFileSync(join(project, `bpf/${name}`), "utf8");
    const excludes = header("excludes.bpf.h");
    expect(/SHAPE_NAME = (\d+)[^]*SHAPE_STAR = (\d+)/.exec(excludes)?.slice(1)).toEqual(["1", "2"]);
    expect(excludes).toContain(`#define SHAPES ${SHAPES}\n`);
    expect(excludes).toContain(`max_entries, ${NAMES})`);
    const bits = [...header("watch.bpf.h").matchAll(/WATCH_SCOPES_(HERE|BELOW) (0x\w+)/g)].map(([, , mask]) => mask);
    expect(bits.map(Number)).toEqual([(SCOPES & ~SCOPES_BELOW) >>> 0, SCOPES_BELOW]);
  });

  test("the key of the watch map, as src/kernel/maps.ts writes it: two words, the inode first", () => {
    expect(btf.struct("watch_key")).toEqual({
      size: 16,
      members: { inode: { offset: 0, size: 8 }, device: { offset: 8, size: 8 } },
    });
  });
});

const clocks: ClockOffsets = { monotonic: 1_700_000_000_000_000_000n, boottime: 1_600_000_000_000_000_000n };
const bytes = (text: string) => new TextEncoder().encode(text);

interface Node {
  readonly inode: bigint;
  readonly device: number;
}

/** A path as the kernel writes it. */
interface Path {
  /** From the leaf on, each NUL-terminated. */
  readonly components: Uint8Array;
  /** enum path_state: 0 whole, 1 cut, 2 none. */
  readonly state?: number;
  /** What the record says of where it ends, instead of the truth. */
  readonly end?: number;
}

interface Fields {
  readonly time?: bigint;
  readonly start?: bigint;
  readonly node?: Node;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly comm?: Uint8Array;
  readonly tty?: Uint8Array;
  readonly args?: Uint8Array;
  readonly executable?: Path;
  readonly cgroup?: Path;
  readonly ancestors?: readonly { readonly pid: number; readonly comm: Uint8Array; readonly executable?: Path }[];
  readonly entries?: readonly { readonly directory: Node; readonly name: Uint8Array }[];
}

const NO_PATH: Path = { components: new Uint8Array(), state: 2 };

/** A record as the kernel would write it, at the offsets of the BTF; what is not said is 0, as if from a kernel thread. */
function record(fields: Fields): Uint8Array {
  const { event, actor, ancestor, path_span, entry, entry_event } = structs;
  const { entries = [], ancestors = [], args = bytes("") } = fields;
  const result = new Uint8Array(entries.length > 0 ? entry_event.size : event.size);
  const view = new DataView(result.buffer);
  const at = (name: string) => {
    const inActor = actor.members[name];
    return inActor === undefined ? event.members[name]!.offset : event.members["actor"]!.offset + inActor.offset;
  };
  const putNode = (offset: number, { inode, device }: Node) => {
    view.setBigUint64(offset + structs.node.members["inode"]!.offset, inode, true);
    view.setUint32(offset + structs.node.members["device"]!.offset, device, true);
    view.setUint32(offset + structs.node.members["generation"]!.offset, 0xdeadbeef, true);
  };
  let used = 0;
  const putPath = (offset: number, { components, state = 0, end }: Path = NO_PATH) => {
    result.set(components, at("strings") + used);
    used += components.length;
    view.setUint16(offset + path_span.members["end"]!.offset, end ?? used, true);
    view.setUint16(offset + path_span.members["state"]!.offset, state, true);
  };
  view.setBigUint64(at("time"), fields.time ?? 0n, true);
  view.setBigUint64(at("start"), fields.start ?? 0n, true);
  if (fields.node !== undefined) putNode(at("node"), fields.node);
  const numbers = {
    entries: entries.length,
    args_length: args.length,
    ancestor_count: ancestors.length,
    ...fields.numbers,
  };
  for (const [name, value] of Object.entries(numbers)) view.setUint32(at(name), value, true);
  result.set(fields.comm ?? bytes(""), at("comm"));
  result.set(fields.tty ?? bytes(""), at("tty"));
  result.set(args.subarray(0, actor.members["args"]!.size), at("args"));
  putPath(at("executable"), fields.executable);
  putPath(at("cgroup"), fields.cgroup);
  ancestors.forEach(({ pid, comm, executable }, i) => {
    const start = at("ancestors") + i * ancestor.size;
    view.setUint32(start + ancestor.members["pid"]!.offset, pid, true);
    result.set(comm, start + ancestor.members["comm"]!.offset);
    putPath(start + ancestor.members["executable"]!.offset, executable);
  });
  entries.forEach(({ directory, name }, i) => {
    const start = entry_event.members["entry"]!.offset + i * entry.size;
    putNode(start + entry.members["directory"]!.offset, directory);
    result.set(name, start + entry.members["name"]!.offset);
  });
  return result;
}

const file: Node = { inode: 12n, device: (8 << 20) | 1 };
const etc: Node = { inode: 0xffff_ffff_ffff_fffen, device: 0xfff_fffff };
const tmp: Node = { inode: 2n, device: 0 };

/** A process with all that a process can have. */
const vim: Fields = {
  time: 1_234_567_891n,
  start: 5_000_000_000n,
  node: file,
  numbers: { pid: 4000, ppid: 3999, uid: 1000, euid: 0, loginuid: 1001, session: 77 },
  comm: bytes("vim"),
  tty: bytes("pts3"),
  args: bytes("vim\0\0-c\0:wq ä\0"),
  executable: { components: bytes("vim.basic\0bin\0usr\0") },
  cgroup: { components: bytes(`docker-${"ab".repeat(32)}.scope\0system.slice\0`) },
  ancestors: [
    { pid: 3999, comm: bytes("bash"), executable: { components: bytes("bash\0bin\0usr\0") } },
    { pid: 2, comm: bytes("kthreadd") },
    { pid: 1, comm: bytes("systemd"), executable: { components: bytes("systemd\0"), state: 1 } },
  ],
};

const vimActor = {
  process: {
    pid: 4000,
    ppid: 3999,
    name: "vim",
    executable: "/usr/bin/vim.basic",
    args: ["vim", "", "-c", ":wq ä"],
    tty: "pts/3",
    session: 77,
    cgroup: `/system.slice/docker-${"ab".repeat(32)}.scope`,
    container: "ab".repeat(32),
    start: "2020-09-13T12:26:45.000Z",
    ancestors: [
      { pid: 3999, name: "bash", executable: "/usr/bin/bash" },
      { pid: 2, name: "kthreadd", executable: "" },
      { pid: 1, name: "systemd", executable: "…/systemd" },
    ],
  },
  uid: 1000,
  euid: 0,
  loginuid: 1001,
};

const key = (text: string) => text as NodeKey;

const freed = KINDS.indexOf("freed");

test("an inode that is freed: a record that ends before the actor", () => {
  const whole = record({ ...vim, numbers: { ...vim.numbers, kind: freed } });
  expect(decodeEvent(whole.subarray(0, LAYOUT.event.actor), clocks)).toEqual({
    time: 1_700_000_001_234_567_891n,
    kind: "freed",
    node: key("8388609:12"),
    generation: 0xdeadbeef,
    entries: [],
    actor: undefined,
  });
});

const actorKinds = KINDS.flatMap((kind, value) => (value === freed ? [] : [[kind, value] as const]));

test("a mount tells in which mount namespace it is", () => {
  const numbers = { kind: KINDS.indexOf("mount"), mount_namespace: 0xf000_0123 };
  expect(decodeEvent(record({ numbers }), clocks)).toMatchObject({ kind: "mount", mountNamespace: 0xf000_0123 });
});

test.each(actorKinds)("a %s of an inode", (kind, value) => {
  const event: KernelEvent | undefined = decodeEvent(
    record({ ...vim, numbers: { ...vim.numbers, kind: value } }),
    clocks,
  );
  expect(event).toEqual({
    time: 1_700_000_001_234_567_891n,
    kind,
    node: key("8388609:12"),
    generation: 0xdeadbeef,
    entries: [],
    actor: vimActor,
  });
});

test("an entry and its directory", () => {
  const entries = [{ directory: etc, name: bytes("passwd.ä") }];
  expect(decodeEvent(record({ ...vim, entries, numbers: { ...vim.numbers, kind: 3 } }), clocks)).toEqual({
    time: 1_700_000_001_234_567_891n,
    kind: "birth",
    node: key("8388609:12"),
    generation: 0xdeadbeef,
    entries: [{ directory: key("4294967295:18446744073709551614"), name: "passwd.ä" }],
    actor: vimActor,
  });
});

test("two entries of a rename, the longest name there is, and an inode that is not known", () => {
  const long = "n".repeat(255);
  const event = decodeEvent(
    record({
      numbers: { kind: 5 },
      entries: [
        { directory: etc, name: bytes(long) },
        { directory: tmp, name: bytes("b") },
      ],
    }),
    clocks,
  );
  expect(event).toMatchObject({
    kind: "rename",
    node: undefined,
    entries: [
      { directory: key("4294967295:18446744073709551614"), name: long },
      { directory: key("0:2"), name: "b" },
    ],
  });
});

test("an entry without a directory is left out", () => {
  const nowhere: Node = { inode: 0n, device: 0 };
  const entries = [
    { directory: nowhere, name: bytes("a") },
    { directory: tmp, name: bytes("b") },
  ];
  expect(decodeEvent(record({ entries }), clocks)?.entries).toEqual([{ directory: key("0:2"), name: "b" }]);
});

test("the key of an inode is what the record of it decodes to", () => {
  expect(decodeEvent(record({ node: etc }), clocks)?.node).toBe(nodeKey(etc.device, etc.inode));
});

test("a kernel thread has neither executable nor arguments", () => {
  const numbers = { kind: 0, pid: 2, loginuid: 0xffff_ffff };
  expect(decodeEvent(record({ node: file, numbers, comm: bytes("kworker/u16:3-e") }), clocks)?.actor).toEqual({
    process: {
      pid: 2,
      ppid: 0,
      name: "kworker/u16:3-e",
      executable: "",
      args: [],
      tty: undefined,
      session: 0,
      cgroup: undefined,
      container: undefined,
      start: "2020-09-13T12:26:40.000Z",
      ancestors: [],
    },
    uid: 0,
    euid: 0,
    loginuid: undefined,
  });
});

describe("arguments", () => {
  const argsOf = (args: Uint8Array, numbers: Record<string, number> = {}) =>
    decodeEvent(record({ args, numbers }), clocks)?.actor?.process.args;
  const full = (text: string) => bytes(text.padEnd(SIZE.args, "x"));

  test.each([
    ["", []],
    ["\0", [""]],
    ["a\0", ["a"]],
    ["a\0\0", ["a", ""]],
    ["nginx: worker process", ["nginx: worker process"]],
  ])("%j", (text, expected) => {
    expect(argsOf(bytes(text))).toEqual(expected);
  });

  test("that just fit are whole", () => {
    const all = full("a\0b");
    all[SIZE.args - 1] = 0;
    expect(argsOf(all)).toEqual(["a", `b${"x".repeat(SIZE.args - 4)}`]);
  });

  test("that do not fit end in an ellipsis", () => {
    expect(argsOf(full("a\0b"), { args_length: SIZE.args + 1 })).toEqual(["a", `b${"x".repeat(SIZE.args - 3)}…`]);
    expect(argsOf(full(""), { args_length: 0xffff_ffff })).toEqual([`${"x".repeat(SIZE.args)}…`]);
  });
});

describe("paths", () => {
  const processOf = (fields: Fields) => decodeEvent(record(fields), clocks)?.actor?.process;
  const executableOf = (executable: Path) => processOf({ executable })?.executable;

  test("are shown without the components that did not fit", () => {
    expect(executableOf({ components: bytes("tool\0bin\0deep\0"), state: 1 })).toBe("…/deep/bin/tool");
  });

  test("are unknown when not even the last component could be read", () => {
    const nothing: Path = { components: bytes(""), state: 1 };
    expect(processOf({ executable: nothing, cgroup: nothing })).toMatchObject({ executable: "", cgroup: "" });
  });

  test("of the cgroup that all are in by default", () => {
    expect(processOf({ cgroup: { components: bytes("") } })).toMatchObject({ cgroup: "/", container: undefined });
  });

  test("may fill the strings", () => {
    const components = [250, 250, 250, 250, 255].map((length) => `${"n".repeat(length)}\0`);
    const whole = bytes(components.join(""));
    expect(whole.length).toBeLessThanOrEqual(SIZE.strings);
    const path = `/${[255, 250, 250, 250, 250].map((length) => "n".repeat(length)).join("/")}`;
    expect(executableOf({ components: whole })).toBe(path);
  });

  test("end with the strings, whatever the record says, and not before they begin", () => {
    const components = new Uint8Array(SIZE.strings).fill(0x6e);
    const process = processOf({
      executable: { components, end: 0xffff },
      cgroup: { components: bytes(""), end: 3 },
    });
    expect(process).toMatchObject({ executable: `/${"n".repeat(SIZE.strings)}`, cgroup: "/" });
  });
});

test("a name of 15 bytes and one that fills its field", () => {
  const nameOf = (comm: string) => decodeEvent(record({ comm: bytes(comm) }), clocks)?.actor?.process.name;
  expect(nameOf("123456789012345")).toBe("123456789012345");
  expect(nameOf("1234567890123456")).toBe("1234567890123456");
});

test("bytes that are not UTF-8 are shown as U+FFFD", () => {
  const event = decodeEvent(
    record({
      comm: Uint8Array.of(0x61, 0xff, 0x62),
      args: Uint8Array.of(0xfe, 0, 0x63, 0),
      executable: { components: Uint8Array.of(0x80, 0, 0x62, 0) },
    }),
    clocks,
  );
  expect(event?.actor?.process).toMatchObject({ name: "a\ufffdb", args: ["\ufffd", "c"], executable: "/b/\ufffd" });
});

// A file that may be made in /etc/sudoers.d: its name must lead back to it.
test("names of entries that differ in bytes that are not UTF-8 stay different", () => {
  const nameOf = (name: Uint8Array) =>
    decodeEvent(record({ entries: [{ directory: tmp, name }] }), clocks)?.entries[0]?.name;
  expect(nameOf(Uint8Array.of(0xff))).not.toBe(nameOf(Uint8Array.of(0xfe)));
});

test("the record may begin anywhere in its buffer", () => {
  const whole = record({ ...vim, entries: [{ directory: etc, name: bytes("x") }] });
  const shifted = new Uint8Array(whole.length + 13).fill(0xaa);
  shifted.set(whole, 3);
  expect(decodeEvent(shifted.subarray(3, 3 + whole.length), clocks)).toEqual(decodeEvent(whole, clocks));
});

describe("what cannot be a record is undefined:", () => {
  const good = record(vim);

  test("one that is short", () => {
    expect(decodeEvent(good, clocks)).toBeDefined();
    fc.assert(
      fc.property(fc.nat(good.length - 1), (length) => {
        expect(decodeEvent(good.subarray(0, length), clocks)).toBeUndefined();
      }),
    );
  });

  test("one that ends before its entries do", () => {
    const whole = record({ ...vim, entries: [{ directory: etc, name: bytes("x") }] });
    expect(decodeEvent(whole, clocks)?.entries).toHaveLength(1);
    expect(decodeEvent(whole.subarray(0, whole.length - 1), clocks)).toBeUndefined();
  });

  test.each([KINDS.length, 0x7fff_ffff, 0xffff_ffff])("one of kind %d", (kind) => {
    expect(decodeEvent(record({ numbers: { kind } }), clocks)).toBeUndefined();
  });

  test("one with more than two entries", () => {
    const entries = [{ directory: etc, name: bytes("x") }];
    expect(decodeEvent(record({ entries, numbers: { entries: 3 } }), clocks)).toBeUndefined();
    expect(decodeEvent(record({ entries, numbers: { entries: 0xffff_ffff } }), clocks)).toBeUndefined();
  });
});

/** What every decoded event keeps to, whatever the kernel wrote. */
function expectSane(event: KernelEvent | undefined): void {
  if (event === undefined) return;
  expect(KINDS).toContain(event.kind);
  expect(event.entries.length).toBeLessThanOrEqual(2);
  for (const { name } of event.entries) expect(name).not.toContain("\0");
  expect(event.actor === undefined).toBe(event.kind === "freed");
  if (event.actor === undefined) return;
  const { executable, args, start, name } = event.actor.process;
  expect(name).not.toContain("\0");
  expect(executable).toMatch(/^$|^\/|^…\//);
  expect(args.every((arg) => !arg.includes("\0"))).toBe(true);
  expect(new Date(start).toISOString()).toBe(start);
}

test("garbage is decoded or refused, and never throws", () => {
  const garbage = fc.uint8Array({ minLength: SIZE.entry_event, maxLength: SIZE.entry_event, size: "max" });
  const knownKind = fc.nat(KINDS.length);
  const property = fc.property(garbage, knownKind, fc.nat(3), (noise, kind, entries) => {
    expectSane(decodeEvent(noise, clocks));
    const view = new DataView(noise.buffer, noise.byteOffset);
    view.setUint32(LAYOUT.event.kind, kind, true);
    view.setUint32(LAYOUT.event.entries, entries, true);
    const event = decodeEvent(noise, clocks);
    expectSane(event);
    expect(event !== undefined).toBe(kind < KINDS.length && (kind === freed || entries <= 2));
  });
  fc.assert(property, { numRuns: 300 });
});

test("a record with some bytes changed is decoded or refused, and never throws", () => {
  const entries = [
    { directory: etc, name: bytes("a") },
    { directory: tmp, name: bytes("b") },
  ];
  const whole = record({ ...vim, entries });
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), fc.nat(whole.length), (list, end) => {
    const changed = whole.slice();
    for (const { at, byte } of list) changed[at] = byte;
    expectSane(decodeEvent(changed, clocks));
    expectSane(decodeEvent(changed.subarray(0, end), clocks));
  });
  fc.assert(property, { numRuns: 500 });
});
