import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { describeOpenPassword, describePassword } from "../../../../src/consumers/parse/password.ts";
import { anyHash, hashes, leaks, print } from "../helpers.ts";

const describeIt = (field: string) => describePassword(field, print);

describe("password fields", () => {
  test("without a hash", () => {
    expect(["", "*", "*NP*", "*0", "!", "!!", "!*", "*LK*"].map(describeIt)).toEqual([
      { passwd: "empty" },
      { passwd: "none" },
      { passwd: "none" },
      { passwd: "none" },
      { passwd: "locked" },
      { passwd: "locked" },
      { passwd: "locked" },
      { passwd: "none" },
    ]);
  });

  test("x refers to shadow from passwd only", () => {
    expect(describeOpenPassword("x", print)).toEqual({});
    expect(describeOpenPassword("", print)).toEqual({ passwd: "empty" });
    expect(describeIt("x")).toEqual({ passwd: `unknown:${print("x")}` });
  });

  for (const [scheme, hash] of Object.entries(hashes)) {
    test(`${scheme}, open and locked`, () => {
      fc.assert(
        fc.property(hash, fc.constantFrom("!", "!!", "*LK*"), ({ field }, lock) => {
          const shown = `${scheme}:${print(field)}`;
          expect(describeIt(field)).toEqual({ passwd: shown });
          expect(describeIt(lock + field)).toEqual({ passwd: "locked", lockedPasswd: shown });
        }),
      );
    });
  }

  test("a change behind the lock is told from an unlocking", () => {
    const [before, after] = ["!$6$abc$def", "!$6$abc$xyz"].map(describeIt);
    expect(before).not.toEqual(after);
    expect(describeIt("$6$abc$def").passwd).toBe(before?.lockedPasswd ?? "");
  });

  test("no field says more of itself than five characters", () => {
    fc.assert(
      fc.property(anyHash, fc.string(), fc.string(), ({ field, secrets }, head, tail) => {
        expect(leaks(JSON.stringify(describeIt(head + field + tail)), secrets)).toEqual([]);
      }),
    );
  });
});
