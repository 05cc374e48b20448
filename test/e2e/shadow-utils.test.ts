// The tools that change user databases, on copies of /etc in a mount namespace of their own, and bpfink with --root.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { realpathSync, utimesSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { Etc } from "./etc.ts";
import type { Line } from "./line.ts";
import { type RunOptions, SLOW } from "./process.ts";

const etc = new Etc();
let bp: Bpfink;

beforeAll(async () => {
  bp = await Bpfink.start({ root: etc.path, watch: ["/etc/passwd", "/etc/shadow"] });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  etc[Symbol.dispose]();
});

const tool = (command: readonly string[], options?: RunOptions) => etc.tool(command, options);
const fed = (input: string, ...command: string[]) => etc.fed(input, ...command);

/** The files that the lines are about, each once. */
const files = (lines: readonly Line[]) => lines.map(({ action, file }) => `${action} ${file}`).sort();
const of = (lines: readonly Line[], file: string) => lines.find((line) => line.file === file);

const today = () => new Date().toISOString().slice(0, 10);
/** User and shown password of each entry that came or went. */
const passwords = (line: Line | undefined, key: "add" | "del") =>
  (line?.[key] as { user: string; passwd?: string }[]).map(({ user, passwd }) => `${user} ${passwd}`);

test("useradd is one line for each file", async () => {
  await tool(["useradd", "-u", "1001", "-s", "/bin/sh", "-c", "Bob", "-d", "/home/bob", "-M", "bob"]);
  const lines = await bp.rest();
  expect(files(lines)).toEqual(["modified /etc/passwd", "modified /etc/shadow"]);
  expect(of(lines, "/etc/passwd")).toMatchObject({
    consumer: "users",
    message: "user entries",
    add: [{ user: "bob", uid: 1001, gecos: "Bob", home: "/home/bob", shell: "/bin/sh" }],
    del: [],
    users: [{ user: "root" }, { user: "ann" }, { user: "nobody" }, { user: "bob" }],
  });
  expect(of(lines, "/etc/shadow")).toMatchObject({
    consumer: "users",
    add: [{ user: "bob", passwd: "locked", lastChange: today() }],
    del: [],
  });
  expect(of(lines, "/etc/shadow")).not.toHaveProperty("attributes");
});

test("chpasswd, by PAM and by itself, changes the fingerprint and the date", async () => {
  await fed("ann:correct horse", "chpasswd");
  const first = await bp.only("/etc/shadow");
  expect(first).toMatchObject({
    action: "modified",
    add: [{ user: "ann", lastChange: today() }],
    del: [{ user: "ann" }],
  });
  expect(passwords(first, "del")).toEqual(["ann locked"]);
  expect(passwords(first, "add")[0]).toMatch(/^ann [a-z0-9-]+:[0-9a-f]{8}$/);
  await fed("ann:battery staple", "chpasswd", "-c", "SHA512");
  const second = await bp.only("/etc/shadow");
  expect(passwords(second, "del")).toEqual(passwords(first, "add"));
  expect(passwords(second, "add")[0]).toMatch(/^ann [a-z0-9-]+:[0-9a-f]{8}$/);
  expect(passwords(second, "add")).not.toEqual(passwords(first, "add"));
});

test("passwd -l and -u lock and unlock, the fingerprint stays", async () => {
  await tool(["passwd", "-l", "ann"]);
  const locked = await bp.only("/etc/shadow");
  expect(passwords(locked, "add")).toEqual(["ann locked"]);
  await tool(["passwd", "-u", "ann"]);
  const unlocked = await bp.only("/etc/shadow");
  expect(passwords(unlocked, "add")).toEqual(passwords(locked, "del"));
  expect(locked["add"]).toMatchObject([{ lockedPasswd: passwords(locked, "del")[0]?.slice("ann ".length) }]);
});

test("usermod of the shell is one line of passwd, though shadow is written too", async () => {
  await tool(["usermod", "-s", "/bin/false", "ann"]);
  expect(await bp.only("/etc/passwd")).toMatchObject({
    action: "modified",
    add: [{ user: "ann", shell: "/bin/false" }],
    del: [{ user: "ann", shell: "/bin/bash" }],
  });
});

test("usermod of the expiry date", async () => {
  await tool(["usermod", "-e", "2030-01-02", "ann"]);
  expect(await bp.only("/etc/shadow")).toMatchObject({ add: [{ user: "ann", expires: "2030-01-02" }] });
});

test("vipw and vipw -s save what the editor made, an empty password is pointed out", async () => {
  const sed = (script: string) => ({ env: { EDITOR: `sed -i ${script}`, VISUAL: `sed -i ${script}` } });
  // vipw takes a file for unchanged whose time is the same to the second
  for (const name of ["passwd", "shadow"]) utimesSync(etc.at("etc", name), 1, 1);
  await tool(["vipw"], sed("s/Ann/Anna/"));
  expect(await bp.only("/etc/passwd")).toMatchObject({
    add: [{ user: "ann", gecos: "Anna" }],
    del: [{ user: "ann", gecos: "Ann" }],
  });
  await tool(["vipw", "-s"], sed("s/^nobody:[*]/nobody:/"));
  const line = await bp.only("/etc/shadow");
  expect(passwords(line, "add")).toEqual(["nobody empty"]);
  expect(line).toMatchObject({ notes: ['user "nobody" has an empty password'] });
});

test("vipw without a change", async () => {
  await tool(["vipw"], { env: { EDITOR: "true", VISUAL: "true" } });
  await bp.noMoreLines();
});

test("a second root is pointed out", async () => {
  await tool(["usermod", "-o", "-u", "0", "bob"]);
  expect(await bp.only("/etc/passwd")).toMatchObject({
    add: [{ user: "bob", uid: 0 }],
    del: [{ user: "bob", uid: 1001 }],
    notes: ['uid 0 is shared by "root", "bob"'],
  });
});

test("userdel", async () => {
  await tool(["userdel", "-f", "bob"]);
  const lines = await bp.rest();
  expect(files(lines)).toEqual(["modified /etc/passwd", "modified /etc/shadow"]);
  for (const line of lines) expect(line).toMatchObject({ add: [], del: [{ user: "bob" }] });
});

const named: readonly (readonly string[])[] = [
  ["useradd", "-u", "1002", "-M", "carl"],
  ["passwd", "-l", "ann"],
  ["chage", "-M", "90", "ann"],
  ["usermod", "-c", "Carl", "carl"],
  ["userdel", "-f", "carl"],
];

test.each(named.map((command) => [command.join(" "), command] as const))("%s: who did it", async (_, command) => {
  const pid = await tool([...command]);
  const lines = await bp.rest();
  expect(lines.length).toBeGreaterThan(0);
  const executable = realpathSync(Bun.which(command[0] ?? "") ?? "");
  const named = { process: { pid, name: command[0], executable, args: command }, user: "root" };
  for (const line of lines) expect(line).toMatchObject(named);
});
