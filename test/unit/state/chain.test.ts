import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createHash, createHmac } from "node:crypto";
import { GENESIS, hashOf, isKeyed, seal, unseal } from "../../../src/state/chain.ts";

const bare = (seq: number, text = "x") =>
  JSON.stringify({ time: "2026-11-23T20:17:18.276502Z", seq, level: "warn", text });
const key = Buffer.from("k".repeat(32));

describe("a line of the chain", () => {
  test("has the hash of what is left of it without its hash, behind its number", () => {
    const { line, hash } = seal(bare(7), GENESIS);
    expect(Object.keys(JSON.parse(line))).toEqual(["time", "seq", "prev", "hash", "level", "text"]);
    expect(JSON.parse(line)).toMatchObject({ prev: GENESIS, hash });
    const rest = line.replace(/,"hash":"[0-9a-f]{64}"/, "");
    expect(hash).toBe(createHash("sha256").update(rest).digest("hex"));
    expect(isKeyed(hash)).toBe(false);
  });

  test("has, with a key, one that nobody without the key can make", () => {
    const { line, hash } = seal(bare(7), GENESIS, key);
    const rest = line.replace(/,"hash":"keyed:[0-9a-f]{64}"/, "");
    expect(hash).toBe(`keyed:${createHmac("sha256", key).update(rest).digest("hex")}`);
    expect(isKeyed(hash)).toBe(true);
  });

  test("comes back from its bytes, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.string({ unit: "binary" }),
        fc.constantFrom(undefined, key),
        (seq, text, key) => {
          const prev = seal(bare(1, text), GENESIS, key).hash;
          const { line, hash } = seal(bare(seq, text), prev, key);
          const link = unseal(Buffer.from(line));
          expect(link).toMatchObject({ seq, prev, hash });
          expect(hashOf(link!.canonical, key)).toBe(hash);
        },
      ),
    );
  });

  test("does not keep its hash when any byte of it changes", () => {
    const { line } = seal(bare(7, "é\u2028"), GENESIS);
    for (let at = 0; at < Buffer.byteLength(line); at++) {
      const bytes = Buffer.from(line);
      bytes[at]! ^= 1;
      const link = unseal(bytes);
      if (link !== undefined) expect(hashOf(link.canonical)).not.toBe(link.hash);
    }
  });

  test("cannot be made of what does not begin with a time and a number, nor be taken for one inside another", () => {
    for (const text of ["", "line 1", '{"seq":1,"x":0}', '{"time":"","seq":1}', `${bare(1)}`.slice(1)]) {
      expect(() => seal(text, GENESIS)).toThrow("no line of a chain");
    }
    const { line } = seal(bare(7), GENESIS);
    for (const text of ["", "garbage", bare(7), ` ${line}`, JSON.stringify({ time: line }), line.slice(0, 100)]) {
      expect(unseal(Buffer.from(text))).toBeUndefined();
    }
  });
});
