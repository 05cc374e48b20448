import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KernelEvent, NodeKey } from "../../../src/event.ts";
import { type ClockOffsets, KINDS, LAYOUT, SIZE, decodeEvent, nodeKey } from "../../../src/source/decode.ts";
import { Btf } from "./btf.ts";

const project = join(import.meta.dir, "../../..");
const btf = new Btf(readFileSync(join(project, "dist/bpfink.bpf.o")));
const structs = {
  event: btf.struct("event"),
  node: btf.struct("node"),
  entry: btf.struct("entry"),
  entry_event: btf.struct("entry_event"),
};
type StructName = keyof typeof structs;

const offsetsOf = (name: StructName) =>
  Object.fromEntries(Object.entries(structs[name].members).map(([member, { offset }]) => [member, offset]));

describe("the decoder has the layout of the object's BTF:", () => {
  test.each(Object.keys(structs) as StructName[])("offsets of struct %s", (name) => {
    expect(offsetsOf(name)).toEqual(LAYOUT[name]);
  });

  test("sizes of structs and arrays", () => {
    const { event } = structs;
    const members = (["comm", "args", "executable"] as const).map((name) => [name, event.members[name]!.size]);
    const sizes = Object.entries(structs).map(([name, { size }]) => [name, size]);
    expect(Object.fromEntries([...sizes, ...members])).toEqual(SIZE);
  });

  test("widths of the numbers that it reads", () => {
    const { comm: _comm, args: _args, executable: _executable, node: _node, ...numbers } = structs.event.members;
    const { time, start, ...rest } = numbers;
    expect([time?.size, start?.size]).toEqual([8, 8]);
    expect(Object.entries(rest).filter(([, { size }]) => size !== 4)).toEqual([]);
    expect(structs.node.members).toMatchObject({ inode: { size: 8 }, device: { size: 4 } });
    expect(structs.entry_event.members["entry"]!.size).toBe(2 * structs.entry.size);
  });

  test("kinds, which are macros to the compiler and so only in the header", () => {
    const header = readFileSync(join(project, "bpf/event.h"), "utf8");
    const body = /enum change_kind \{([^}]*)\}/.exec(header)?.[1] ?? "";
    const values = [...body.matchAll(/CHANGE_(\w+) = (\d+)/g)].map(([, name, value]) => [value, name?.toLowerCase()]);
    expect(values).toEqual(KINDS.map((kind, value) => [String(value), kind]));
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

interface Fields {
  readonly time?: bigint;
  readonly start?: bigint;
  readonly node?: Node;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly comm?: Uint8Array;
  readonly args?: Uint8Array;
  readonly executable?: Uint8Array;
  readonly entries?: readonly { readonly directory: Node; readonly name: Uint8Array }[];
}

/** A record as the kernel would write it, at the offsets of the BTF; what is not said is 0, as if from a kernel thread. */
function record(fields: Fields): Uint8Array {
  const { event, entry, entry_event } = structs;
  const { entries = [], args = bytes(""), executable = bytes("") } = fields;
  const result = new Uint8Array(entries.length > 0 ? entry_event.size : event.size);
  const view = new DataView(result.buffer);
  const at = (name: string) => event.members[name]!.offset;
  const putNode = (offset: number, { inode, device }: Node) => {
    view.setBigUint64(offset + structs.node.members["inode"]!.offset, inode, true);
    view.setUint32(offset + structs.node.members["device"]!.offset, device, true);
    view.setUint32(offset + structs.node.members["generation"]!.offset, 0xdeadbeef, true);
  };
  view.setBigUint64(at("time"), fields.time ?? 0n, true);
  view.setBigUint64(at("start"), fields.start ?? 0n, true);
  if (fields.node !== undefined) putNode(at("node"), fields.node);
  const numbers = { args_length: args.length, executable_length: executable.length, ...fields.numbers };
  for (const [name, value] of Object.entries({ entries: entries.length, ...numbers })) {
    view.setUint32(at(name), value, true);
  }
  result.set(fields.comm ?? bytes(""), at("comm"));
  result.set(args.subarray(0, event.members["args"]!.size), at("args"));
  result.set(executable, at("executable"));
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
  args: bytes("vim\0\0-c\0:wq ä\0"),
  executable: bytes("vim.basic\0bin\0usr\0"),
};

const vimActor = {
  process: {
    pid: 4000,
    ppid: 3999,
    name: "vim",
    executable: "/usr/bin/vim.basic",
    args: ["vim", "", "-c", ":wq ä"],
    start: "2020-09-13T12:26:45.000Z",
    session: 77,
  },
  uid: 1000,
  euid: 0,
  loginuid: 1001,
};

const key = (text: string) => text as NodeKey;

test.each(KINDS.map((kind, value) => [kind, value] as const))("a %s of an inode", (kind, value) => {
  const event: KernelEvent | undefined = decodeEvent(
    record({ ...vim, numbers: { ...vim.numbers, kind: value } }),
    clocks,
  );
  expect(event).toEqual({
    time: 1_700_000_001_234_567_891n,
    kind,
    node: key("8388609:12"),
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
      start: "2020-09-13T12:26:40.000Z",
      session: 0,
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

describe("the executable", () => {
  const executableOf = (executable: Uint8Array, numbers: Record<string, number> = {}) =>
    decodeEvent(record({ executable, numbers }), clocks)?.actor?.process.executable;

  test("is shown without the components that did not fit", () => {
    expect(executableOf(bytes("tool\0bin\0deep\0"), { executable_cut: 1 })).toBe("…/deep/bin/tool");
  });

  test("is unknown when not even its own name could be read", () => {
    expect(executableOf(bytes(""), { executable_cut: 1 })).toBe("");
  });

  test("may fill its field", () => {
    const components = [250, 250, 255].map((length) => `${"n".repeat(length)}\0`);
    const whole = bytes(components.join(""));
    expect(whole.length).toBeLessThanOrEqual(SIZE.executable);
    expect(executableOf(whole)).toBe(`/${[255, 250, 250].map((length) => "n".repeat(length)).join("/")}`);
  });

  test("ends with its field, whatever its length says", () => {
    const whole = new Uint8Array(SIZE.executable).fill(0x6e);
    const path = `/${"n".repeat(SIZE.executable)}`;
    expect(executableOf(whole, { executable_length: 0xffff_ffff })).toBe(path);
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
      executable: Uint8Array.of(0x80, 0, 0x62, 0),
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

  test.each([6, 0x7fff_ffff, 0xffff_ffff])("one of kind %d", (kind) => {
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
  const { executable, args, start, name } = event.actor!.process;
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
    expect(event !== undefined).toBe(kind < KINDS.length && entries <= 2);
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
