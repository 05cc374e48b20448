import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { redact } from "../../../src/consumers/redact.ts";
import { anyHash, leaks, print } from "./helpers.ts";

describe("a shadow line that a newline was put into", () => {
  test("both halves of its hash are replaced", () => {
    const before = "root:zxGHJKL\nMNPQRS:19000:0:99999:7:::\n";
    const after = `root:[redacted ${print("zxGHJKL")}]\n[redacted ${print("MNPQRS")}]:19000:0:99999:7:::\n`;
    expect(redact(before, print)).toBe(after);
  });

  test("wherever it is torn, no five characters are left", () => {
    const tail = fc.constantFrom(":19000:0:99999:7:::", ":::::::", ":0:0:99999:7:30:20000:");
    const lock = fc.constantFrom("", "!");
    fc.assert(
      fc.property(anyHash, tail, lock, fc.double({ min: 0, max: 1, noNaN: true }), (hash, end, locked, where) => {
        const at = Math.floor(hash.field.length * where);
        const text = `bob:${locked}${hash.field.slice(0, at)}\n${hash.field.slice(at)}${end}\n`;
        expect(leaks(redact(text, print), hash.secrets)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  test("what only looks a little like it stays", () => {
    const text = [
      "root:100000:65536",
      "_apt:100:65534",
      "a=$FOO$BAR",
      "Some/Path:x",
      "Host:1",
      "example.org:443:80",
      "max_age=90",
      "CamelCase",
    ].join("\n");
    expect(redact(text, print)).toBe(text);
  });
});
