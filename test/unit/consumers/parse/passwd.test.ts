import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parsePasswd } from "../../../../src/consumers/parse/passwd.ts";
import { print } from "../helpers.ts";

const parse = (text: string) => parsePasswd(new TextEncoder().encode(text), print);
const root = { user: "root", uid: 0, gid: 0, gecos: "root", home: "/root", shell: "/bin/bash" };
const ROOT = "root:x:0:0:root:/root:/bin/bash";

describe("parsePasswd", () => {
  test("reads entries, skips comments and blank lines", () => {
    expect(parse(`# head\n\n  ${ROOT}\n \t\nnobody:*:65534:65534::/:/bin/false`)).toEqual({
      entries: [
        root,
        { user: "nobody", passwd: "none", uid: 65534, gid: 65534, gecos: "", home: "/", shell: "/bin/false" },
      ],
      problems: [],
    });
  });

  test("takes what the C library takes for an account, and says what is odd about it", () => {
    const blank = { gecos: "", home: "", shell: "" };
    expect(
      parse("short::0:0\nplus:x:+0:00:::\nminus:x:-1:4294967296:::\n:x:0:0:::\nlong:x:1:1::/:/bin/sh:more\n"),
    ).toEqual({
      entries: [
        { user: "short", passwd: "empty", uid: 0, gid: 0, ...blank },
        { user: "plus", uid: 0, gid: 0, ...blank },
        { user: "minus", uid: 4294967295, gid: 4294967295, ...blank },
        { user: "", uid: 0, gid: 0, ...blank },
        { user: "long", uid: 1, gid: 1, gecos: "", home: "/", shell: "/bin/sh:more" },
      ],
      problems: [
        { line: 1, reason: "7 fields expected, not 4" },
        { line: 2, reason: "uid or gid is oddly written" },
        { line: 3, reason: "uid or gid is oddly written" },
        { line: 4, reason: "no user name" },
        { line: 5, reason: "7 fields expected, not 8" },
      ],
    });
  });

  test("lines that the C library ignores are problems, and cost no other line", () => {
    expect(parse(`garbage\n${ROOT}\nuser:x:one:1:::\nuser:x:1:one:::\n`)).toEqual({
      entries: [root],
      problems: [
        { line: 1, reason: "7 fields expected, not 1" },
        { line: 1, reason: "uid is not a number" },
        { line: 1, reason: "gid is not a number" },
        { line: 3, reason: "uid is not a number" },
        { line: 4, reason: "gid is not a number" },
      ],
    });
  });

  test("an account before a NUL byte is one", () => {
    expect(parse(`${ROOT}\0:hidden\n`)).toEqual({
      entries: [root],
      problems: [{ line: 1, reason: "NUL byte: what follows it on the line is not read" }],
    });
  });

  test("NIS lines are entries", () => {
    expect(parse("+\n-bob\n+@staff::::::\n").entries.map(({ user }) => user)).toEqual(["+", "-bob", "+@staff"]);
    expect(parse("+\n-bob\n+@staff::::::\n").problems).toEqual([]);
  });

  test("duplicates stay, in order", () => {
    expect(parse(`${ROOT}\nb:x:1:1:::\n${ROOT}\n`).entries.map(({ user }) => user)).toEqual(["root", "b", "root"]);
  });

  test("names that are not UTF-8 stay different", () => {
    const names = [[0xe9], [0xe8], [...Buffer.from("é")], [...Buffer.from("\\xe9")], [...Buffer.from("\\x5cxe9")]];
    const bytes = names.flatMap((name) => [...name, ...Buffer.from(":x:1:1:::\n")]);
    const { entries, problems } = parsePasswd(new Uint8Array(bytes), print);
    expect(entries.map(({ user }) => user)).toEqual(["\\xe9", "\\xe8", "é", "\\x5cxe9", "\\x5cx5cxe9"]);
    expect(problems).toEqual([]);
  });

  test("takes any bytes, and its problems are on lines that exist", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const lines = bytes.filter((byte) => byte === 10).length + 1;
        for (const { line } of parsePasswd(bytes, print).problems) {
          expect(line).toBeWithin(1, lines + 1);
        }
      }),
    );
  });

  test("every account is read whatever stands between", () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,31}$/);
    const id = fc.integer({ min: 0, max: 4294967295 });
    const junk = fc.constantFrom("", "#", "# a:b:c", "junk", "a:b:c:d:e:f:g", ":::");
    fc.assert(
      fc.property(fc.array(fc.tuple(name, id, id, junk)), (accounts) => {
        const { entries, problems } = parse(accounts.map(([u, i, g, j]) => `${u}:x:${i}:${g}::/:/sh\n${j}\n`).join(""));
        expect(entries).toEqual(
          accounts.map(([user, uid, gid]) => ({ user, uid, gid, gecos: "", home: "/", shell: "/sh" })),
        );
        const bad = accounts.flatMap(([, , , j], i) => (j === "" || j.startsWith("#") ? [] : [2 * i + 2]));
        expect([...new Set(problems.map(({ line }) => line))]).toEqual(bad);
      }),
    );
  });

  test("a hash in the wrong field is not told", () => {
    const hash = "$6$GHJKLMNP$QRSTUVWXYZGHJKLMNPQRSTUVWXYZ";
    const shown = JSON.stringify(parse(`${hash}:x:1:1:::\nu:x:1:1:${hash}:${hash}:${hash}\nu:x:${hash}:1:::\n`));
    expect(shown).not.toMatch(/GHJKL|QRSTU/);
  });
});
