import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Header, parseHeader } from "../../../src/labels/rpm-header.ts";

type Value = string | readonly string[] | readonly number[];

/** A header as rpm writes it. */
function headerOf(tags: readonly (readonly [tag: number, value: Value])[]): Buffer {
  const data: Buffer[] = [];
  let length = 0;
  const index = tags.map(([tag, value]) => {
    const isNumbers = typeof value !== "string" && typeof value[0] === "number";
    const numbers = isNumbers ? (value as readonly number[]) : [];
    const strings = typeof value === "string" ? [value] : isNumbers ? [] : (value as readonly string[]);
    const bytes = Buffer.from(
      isNumbers
        ? numbers.flatMap((n) => [n >>> 24, n >>> 16, n >>> 8, n])
        : (strings.map((s) => `${s}\0`).join("") as never),
    );
    const type = isNumbers ? 4 : typeof value === "string" ? 6 : 8;
    const entry = [tag, type, length, value === "" || typeof value === "string" ? 1 : value.length];
    data.push(bytes);
    length += bytes.length;
    return entry;
  });
  const words = [tags.length, length, ...index.flat()];
  const head = Buffer.alloc(4 * words.length);
  words.forEach((word, at) => head.writeUInt32BE(word, 4 * at));
  return Buffer.concat([head, ...data]);
}

const [SHA, OTHER] = ["0f".repeat(32), "a0".repeat(32)];
const tags: [number, Value][] = [
  [1000, "tool"],
  [1001, "1.2~rc1"],
  [1002, "3.fc40"],
  [1008, [1_700_000_000]],
  [1035, [SHA, "", OTHER]],
  [1116, [0, 0, 1]],
  [1117, ["tool", "link", "caf\u00e9"]],
  [1118, ["/usr/bin/", "/etc/"]],
  [5011, [8]],
];
const filesOf = (header: Header | undefined, count = 3) =>
  Array.from({ length: count }, (_, index) => header?.file(index));
const but = (tag: number, value?: Value) =>
  tags.flatMap((entry): [number, Value][] => (entry[0] !== tag ? [entry] : value === undefined ? [] : [[tag, value]]));

describe("a header", () => {
  test("names its package and its files", () => {
    const header = parseHeader(headerOf(tags));
    expect(header).toMatchObject({
      name: "tool",
      version: "1.2~rc1-3.fc40",
      installed: 1_700_000_000,
      algorithm: "sha256",
    });
    expect(filesOf(header, 4)).toEqual([
      { path: "/usr/bin/tool", digest: SHA },
      { path: "/usr/bin/link", digest: "" },
      { path: Buffer.from("/etc/caf\u00e9").toString("latin1"), digest: OTHER },
      undefined,
    ]);
  });

  test.each([
    [[0], "0:1.2~rc1-3.fc40"],
    [[7], "7:1.2~rc1-3.fc40"],
  ])("with epoch %p", (epoch, version) => {
    expect(parseHeader(headerOf([...tags, [1003, epoch]]))?.version).toBe(version);
  });

  test.each([
    [undefined, "md5"],
    [[1], "md5"],
    [[2], "sha1"],
    [[10], "sha512"],
    [[99], undefined],
  ] as const)("whose digests are of kind %p", (kind, algorithm) => {
    expect(parseHeader(headerOf(but(5011, kind)))?.algorithm).toBe(algorithm as never);
  });

  test("without files", () => {
    const header = parseHeader(
      headerOf([1116, 1117, 1118, 1035].reduce((rest, tag) => rest.filter(([t]) => t !== tag), tags)),
    );
    expect(header?.name).toBe("tool");
    expect(filesOf(header)).toEqual([undefined, undefined, undefined]);
  });

  test("has its own value of what was changed later", () => {
    expect(parseHeader(headerOf([...tags, [1008, [5]]]))?.installed).toBe(5);
  });

  test.each([1000, 1001, 1002])("without tag %p is none", (tag) => {
    expect(parseHeader(headerOf(but(tag)))).toBeUndefined();
  });
});

describe("what is no header, or not all of one,", () => {
  test("is nothing at all", () => {
    for (const bytes of [[], [0, 0], [0, 0, 0, 9, 0, 0, 0, 0], Array(8).fill(255), Array(64).fill(0)])
      expect(parseHeader(Uint8Array.from(bytes))).toBeUndefined();
  });

  test("leads nowhere else, wherever it was cut", () => {
    const whole = headerOf(tags);
    const files = filesOf(parseHeader(whole));
    for (let length = 0; length < whole.length; length++) {
      const header = parseHeader(whole.subarray(0, length));
      for (const [index, file] of filesOf(header).entries())
        expect([undefined, files[index]]).toContainEqual(file as never);
    }
  });

  test("never throws, and takes no time", () => {
    const whole = headerOf(tags);
    const patched = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 30 })
      .map((changes) => changes.reduce((bytes, [at, byte]) => (bytes.writeUInt8(byte, at), bytes), Buffer.from(whole)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), patched), (bytes) => {
        const header = parseHeader(bytes);
        for (const index of [0, 1, 2, 3, -1, 0.5, 0xffffffff, NaN]) header?.file(index);
      }),
      { numRuns: 2000 },
    );
  });

  test("is no matter of its size: counts that are lies cost no more than the bytes that are there", () => {
    const lies = headerOf([...tags, [9, "x".repeat(1 << 20)]]);
    for (let at = 8; at < 8 + 16 * tags.length; at += 16) lies.writeUInt32BE(0xffffffff, at + 12);
    const begun = performance.now();
    expect(parseHeader(lies)?.file(0)?.path).toBe("/usr/bin/tool");
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
