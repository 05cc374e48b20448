import { expect, test } from "bun:test";
import fc from "fast-check";
import { prettier } from "../../../src/sinks/pretty.ts";
import { coloured, plain as unpainted } from "../../../src/terminal.ts";

const base = { time: "2026-11-23T20:55:37.750297Z", seq: 2, level: "warn", host: "h", version: "0.1.0" };
const who = { process: { pid: 232 }, processName: "useradd", user: "root" };
const plain = (line: object) => prettier(unpainted)(JSON.stringify({ ...base, ...line }));

test("a diff", () => {
  const line = {
    action: "modified",
    origin: "live",
    consumer: "diff",
    file: "/etc/motd",
    add: { Content: ["b"] },
    diff: "--- /etc/motd\n+++ /etc/motd\n@@ -1,1 +1,1 @@\n-a\n+b\n",
    ...who,
    loginUser: "ann",
  };
  expect(plain(line)).toBe(
    "20:55:37 modified /etc/motd by useradd (232) as root (logged in as ann)\n    @@ -1,1 +1,1 @@\n    -a\n    +b",
  );
  expect(prettier(coloured)(JSON.stringify({ ...base, ...line }))).toContain("\u001b[31m-a\u001b[0m");
});

test("rows of a diff that look like its heading", () => {
  const diff = "--- /f.lua\n+++ /f.lua\n@@ -1,2 +1,2 @@\n--- a comment\n+++ i;\n x\n";
  expect(plain({ action: "modified", origin: "live", file: "/f.lua", diff }).split("\n").slice(1)).toEqual([
    "    @@ -1,2 +1,2 @@",
    "    --- a comment",
    "    +++ i;",
    "     x",
  ]);
});

test("entries, and what has no place of its own", () => {
  const line = { action: "modified", origin: "startup", file: "/etc/passwd", add: [{ user: "ann" }], del: [] };
  expect(plain({ ...line, notes: ["ann may log in"] })).toBe(
    '20:55:37 modified /etc/passwd (startup)\n    + {"user":"ann"}\n    notes: ["ann may log in"]',
  );
});

test("rules of access.conf", () => {
  const rule = { permission: "+", users: ["(wheel)"], origins: ["ALL"] };
  const line = { action: "modified", origin: "live", consumer: "access", file: "/etc/security/access.conf", ...who };
  const some = { grant: ["(wheel)"], deny: [], rules: [rule] };
  const none = { grant: [], deny: [], rules: [] };
  expect(plain({ ...line, add: some, del: none, access: some })).toBe(
    `20:55:37 modified /etc/security/access.conf by useradd (232) as root\n    + ${JSON.stringify(rule)}`,
  );
});

test("lines of its own, and moves", () => {
  expect(plain({ action: "stopped", message: "bpfink stopped" })).toBe("20:55:37 stopped bpfink stopped");
  expect(plain({ action: "stopped", message: "bpfink stopped", signal: "SIGTERM", ...who })).toBe(
    "20:55:37 stopped bpfink stopped by useradd (232) as root\nsignal: SIGTERM",
  );
  expect(plain({ action: "moved", origin: "live", file: "/b", previous: "/a", ...who })).toBe(
    "20:55:37 moved /a -> /b by useradd (232) as root",
  );
});

test("no name and no content reaches the terminal as an order", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (file, text) => {
      const shown = plain({
        action: "created",
        file: `/${file}`,
        origin: "live",
        diff: `+${text}\n`,
        notes: text,
        ...who,
      });
      // oxlint-disable-next-line no-control-regex
      expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
});
