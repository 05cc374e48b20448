import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decode, encode, splitLines } from "../../../src/consumers/text.ts";

const pieces = fc.constantFrom("\\", "x", "5c", "e9", "\\x5c", "\\xff", "\\xFF", "é", "😀", "\ufeff", "\n", "a", "\0");
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .array(
      fc.oneof(
        pieces.map((text) => [...Buffer.from(text)]),
        fc.uint8Array({ maxLength: 3 }).map((b) => [...b]),
      ),
    )
    .map((parts) => new Uint8Array(parts.flat())),
);

describe("text", () => {
  test("loses nothing", () => {
    fc.assert(
      fc.property(bytes, (content) => expect(encode(decode(content))).toEqual(content)),
      { numRuns: 3000 },
    );
  });

  test("leaves ordinary text as it is, backslashes and all", () => {
    const text = "\ufeff^\\s+\\d\\x41 \\xFF \\\\ é 😀\r\n";
    expect(decode(new TextEncoder().encode(text))).toBe(text);
  });

  test("escapes bytes that are not UTF-8: overlong, surrogates, beyond the last, cut", () => {
    const cases = [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xe2, 0x82], [0xff]];
    expect(cases.map((b) => decode(new Uint8Array(b)))).toEqual([
      "\\xc0\\xaf",
      "\\xed\\xa0\\x80",
      "\\xf4\\x90\\x80\\x80",
      "a\\xe2\\x82",
      "\\xff",
    ]);
  });

  test("lines keep their ends", () => {
    expect(["", "a", "a\n", "a\r\nb", "\n\n"].map(splitLines)).toEqual([
      [],
      ["a"],
      ["a\n"],
      ["a\r\n", "b"],
      ["\n", "\n"],
    ]);
  });
});
