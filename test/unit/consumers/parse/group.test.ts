import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseGroup, parseGshadow } from "../../../../src/consumers/parse/group.ts";
import { anyHash, leaks, print } from "../helpers.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const group = (text: string) => parseGroup(bytes(text), print);
const gshadow = (text: string) => parseGshadow(bytes(text), print);

describe("parseGroup", () => {
  test("reads entries, skips comments and blank lines", () => {
    expect(group("# head\n\nroot:x:0:\nsudo:*:27:ann, bob,,\nold:$6$ab$cd:9:\n+@nis\n")).toEqual({
      entries: [
        { group: "root", gid: 0, members: [] },
        { group: "sudo", passwd: "none", gid: 27, members: ["ann", "bob"] },
        { group: "old", passwd: `sha512:${print("$6$ab$cd")}`, gid: 9, members: [] },
        { group: "+@nis", members: [] },
      ],
      problems: [],
    });
  });

  test("keeps what the C library takes, says what is odd and what is ignored", () => {
    expect(group("short:x:5\nzero:x:00:a\nnone:x:five:a\n:x:7:\nlong:x:8:a:b\ngarbage\n")).toEqual({
      entries: [
        { group: "short", gid: 5, members: [] },
        { group: "zero", gid: 0, members: ["a"] },
        { group: "", gid: 7, members: [] },
        { group: "long", gid: 8, members: ["a"] },
      ],
      problems: [
        { line: 1, reason: "4 fields expected, not 3" },
        { line: 2, reason: "gid is oddly written" },
        { line: 3, reason: "gid is not a number" },
        { line: 4, reason: "no group name" },
        { line: 5, reason: "4 fields expected, not 5" },
        { line: 6, reason: "4 fields expected, not 1" },
        { line: 6, reason: "gid is not a number" },
      ],
    });
  });
});

describe("parseGshadow", () => {
  test("reads every field", () => {
    expect(gshadow("root:*::\nsudo:!:ann:ann,bob\nwheel:::\nadm:!$6$ab$cd::eve\n")).toEqual({
      entries: [
        { group: "root", passwd: "none", admins: [], members: [] },
        { group: "sudo", passwd: "locked", admins: ["ann"], members: ["ann", "bob"] },
        { group: "wheel", passwd: "empty", admins: [], members: [] },
        { group: "adm", passwd: "locked", lockedPasswd: `sha512:${print("$6$ab$cd")}`, admins: [], members: ["eve"] },
      ],
      problems: [],
    });
  });

  test("a hash in the place of a name is not told", () => {
    expect(gshadow("GHJKLMNPzxQRS:bob:alice\nadm:!::GHJKLMNPzxQRS:x\n")).toEqual({
      entries: [{ group: "adm", passwd: "locked", admins: [], members: [] }],
      problems: [
        { line: 1, reason: "4 fields expected, not 3" },
        { line: 1, reason: "the first field is not a group name" },
        { line: 2, reason: "4 fields expected, not 5" },
      ],
    });
  });

  test("tells nothing of a hash from a line with a character lost, or a colon or newline too many", () => {
    const rest = fc.constantFrom("::", ":ann:ann,bob", "::bob");
    fc.assert(
      fc.property(
        anyHash,
        rest,
        fc.nat(),
        fc.constantFrom("", ":", "\n"),
        ({ field, secrets }, tail, place, insert) => {
          const line = `sudo:${field}${tail}\n`;
          const at = place % line.length;
          const broken = line.slice(0, at) + insert + line.slice(insert === "" ? at + 1 : at);
          expect(leaks(JSON.stringify(gshadow(broken)), secrets)).toEqual([]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test.each([
  ["group", parseGroup],
  ["gshadow", parseGshadow],
])("%s: takes any bytes, and what is torn costs no other line", (_, parse) => {
  const good = "sudo:!:27:ann\n";
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
      const lines = garbage.filter((byte) => byte === 10).length + 1;
      const { entries, problems } = parse(new Uint8Array([...bytes(good), ...garbage, 10, ...bytes(good)]), print);
      for (const { line } of problems) expect(line).toBeWithin(2, lines + 2);
      expect(entries.filter((entry) => entry.group === "sudo").length).toBeGreaterThanOrEqual(2);
    }),
  );
  const huge = parse(bytes(`sudo:!:27:${"ann,".repeat(500_000)}\n`), print);
  expect(huge.entries[0]?.members).toHaveLength(500_000);
});
