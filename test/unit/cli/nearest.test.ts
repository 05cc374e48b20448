import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nearest } from "../../../src/cli/nearest.ts";

describe("nearest", () => {
  const names = ["auto", "ebpf", "ebpf/fentry", "fanotify"];
  test.each([
    ["auto", "auto"],
    ["aut", "auto"],
    ["f", "fanotify"],
    ["ebpf/", "ebpf/fentry"],
    ["eppf", "ebpf"],
    ["fanotfy", "fanotify"],
    ["fannottify", "fanotify"],
    ["fannottifyy", undefined],
    ["kprobe", undefined],
  ])("to %s is %s", (word, expected) => {
    expect(nearest(word, names)).toBe(expected);
  });

  test("to anything among nothing is nothing", () => {
    expect(nearest("x", [])).toBeUndefined();
  });

  test("forgives any one typing error in a longer word", () => {
    const candidates = ["database", "log-level"];
    const error = fc.record({
      word: fc.constantFrom(...candidates),
      at: fc.nat(8),
      letter: fc.string({ maxLength: 1 }),
    });
    fc.assert(
      fc.property(error, fc.nat(1), ({ word, at, letter }, cut) => {
        expect(nearest(word.slice(0, at) + letter + word.slice(at + cut), candidates)).toBe(word);
      }),
    );
  });
});
