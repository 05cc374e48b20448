import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseShadow } from "../../../../src/consumers/parse/shadow.ts";
import { anyHash, leaks, print } from "../helpers.ts";

const parse = (text: string) => parseShadow(new TextEncoder().encode(text), print);

describe("parseShadow", () => {
  test("reads every field", () => {
    expect(parse("root:$6$ab$cd:19000:1:99999:7:30:20000:3\ndaemon:*:0:0:99999:7:::\nbob:!$1$a$b:::::::\n")).toEqual({
      entries: [
        {
          user: "root",
          passwd: `sha512:${print("$6$ab$cd")}`,
          lastChange: "2022-01-08",
          minDays: 1,
          maxDays: 99999,
          warnDays: 7,
          inactiveDays: 30,
          expires: "2024-10-04",
          flag: 3,
        },
        { user: "daemon", passwd: "none", mustChange: true, minDays: 0, maxDays: 99999, warnDays: 7 },
        { user: "bob", passwd: "locked", lockedPasswd: `md5:${print("$1$a$b")}` },
      ],
      problems: [],
    });
  });

  test("keeps what can be read, and says what cannot without quoting it", () => {
    expect(parse("a:*:never:::::99999999999:\nb:*:1:0\nc:!:1:0:9\nd:*::::::-1:\n+\n::::::::\n")).toEqual({
      entries: [
        { user: "a", passwd: "none", expires: "99999999999 days" },
        { user: "c", passwd: "locked", lastChange: "1970-01-02", minDays: 0, maxDays: 9 },
        { user: "d", passwd: "none", expires: "-1 days" },
        { user: "+" },
        { user: "", passwd: "empty" },
      ],
      problems: [
        { line: 1, reason: "lastChange is not a number" },
        { line: 2, reason: "9 fields expected, not 4" },
        { line: 3, reason: "9 fields expected, not 5" },
        { line: 6, reason: "no user name" },
      ],
    });
  });

  test("a hash in the place of the name is not told", () => {
    expect(parse("GHJKLMNPzxQRS:19000:0:99999:7:::\nrootGHJKLMNPzxQRS:19000:0:99999:7::::\n")).toEqual({
      entries: [],
      problems: [
        { line: 1, reason: "9 fields expected, not 8" },
        { line: 1, reason: "the first field is not a user name" },
        { line: 2, reason: "the first field is not a user name" },
      ],
    });
  });

  test("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const lines = bytes.filter((byte) => byte === 10).length + 1;
        for (const { line } of parseShadow(bytes, print).problems) expect(line).toBeWithin(1, lines + 1);
      }),
    );
  });

  test("tells nothing of a hash from a line with a character lost, or a colon or newline too many", () => {
    const rest = fc.constantFrom(":19000:0:99999:7:::", ":::::::", ":19000:0:99999:7:30:20000:");
    fc.assert(
      fc.property(
        anyHash,
        rest,
        fc.nat(),
        fc.constantFrom("", ":", "\n"),
        ({ field, secrets }, tail, place, insert) => {
          const line = `root:${field}${tail}\n`;
          const at = place % line.length;
          const broken = line.slice(0, at) + insert + line.slice(insert === "" ? at + 1 : at);
          expect(leaks(JSON.stringify(parse(broken)), secrets)).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
