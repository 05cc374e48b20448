import { expect, test } from "bun:test";
import { encodeRules, NAMES, type NameRule } from "../../../src/kernel/excludes.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const rule = (text: string, scopes = 0x100): NameRule => {
  const [prefix = "", suffix] = text.split("*");
  return { prefix: bytes(prefix), suffix: suffix === undefined ? undefined : bytes(suffix), scopes };
};

/** Of each name its shape, prefix and suffix, and the scopes. */
const told = (rules: readonly NameRule[]) =>
  encodeRules(rules).names.map(([key, scopes]) => {
    const text = (from: number, to: number) => Buffer.from(key.subarray(from, to)).toString().replace(/\0+$/, "");
    return [key[0], text(4, 52), text(52, 68), scopes];
  });

test("names, and what begins or ends like something, each in the shape that it has in common with others", () => {
  const rules = ["cache", ".git", "*.swp", "*.log", "*~", ".#*", "a*b", "*"].map((text) => rule(text));
  expect(encodeRules(rules).shapes).toEqual([
    ...[1, 2 | (4 << 16), 2 | (1 << 16), 2 | (2 << 8)],
    ...[2 | (1 << 8) | (1 << 16), 2],
  ]);
  expect(told(rules)).toEqual([
    [0, "cache", "", 0x100],
    [0, ".git", "", 0x100],
    [1, "", ".swp", 0x100],
    [1, "", ".log", 0x100],
    [2, "", "~", 0x100],
    [3, ".#", "", 0x100],
    [4, "a", "b", 0x100],
    [5, "", "", 0x100],
  ]);
});

test("one name in several scopes is one entry", () => {
  expect(told([rule("x", 0x100), rule("x*", 0x200), rule("x", 0x8000_0000)])).toEqual([
    [0, "x", "", 0x8000_0100],
    [1, "x", "", 0x200],
  ]);
});

test("what is too long, of a ninth shape, or one too many is left out, and the rest is not", () => {
  const long = ["n".repeat(48), "n".repeat(49), `${"n".repeat(49)}*`, `*${"n".repeat(16)}`, `*${"n".repeat(17)}`];
  expect(told(long.map((text) => rule(text))).map(([, prefix, suffix]) => [prefix, suffix])).toEqual([
    ["n".repeat(48), ""],
    ["", "n".repeat(16)],
  ]);
  const shapes = Array.from({ length: 9 }, (_, i) => rule(`${"n".repeat(i + 1)}*`));
  expect(told([...shapes, rule("m*")]).map(([, prefix]) => prefix)).toEqual([
    ...Array.from({ length: 8 }, (_, i) => "n".repeat(i + 1)),
    "m",
  ]);
  const many = Array.from({ length: NAMES + 1 }, (_, i) => rule(String(i)));
  expect(told([...many, rule("0", 0x200)])).toHaveLength(NAMES);
  expect(told([...many, rule("0", 0x200)])[0]).toEqual([0, "0", "", 0x300]);
});
