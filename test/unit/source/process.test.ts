import { expect, test } from "bun:test";
import fc from "fast-check";
import { copyFileSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ARGS_LIMIT,
  parseArgs,
  parseCgroup,
  parseLoginuid,
  parseStat,
  parseStatus,
  readProcess,
  readStat,
  startTime,
  ttyOfDevice,
} from "../../../src/source/process.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const stat = (name: string) => `7 (${name}) S 3 7 5 34816 7 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10\n`;

test.each(["sh", "a b", "a) R 1 2 3", "((", "new\nline", ""])("the name in stat may be %j", (name) => {
  expect(parseStat(stat(name))).toEqual({ name, state: "S", ppid: 3, session: 5, tty: 34816, startTicks: 123456n });
});

test("what is no stat is undefined", () => {
  for (const text of ["", "7", "7 (sh", "7 (sh)", "7 (sh) S 3", ")("]) expect(parseStat(text)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => void parseStat(text)));
});

test("status gives the real and the effective user", () => {
  expect(parseStatus("Name:\tx\\nUid:\t9\t9\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\n")).toEqual({
    uid: 1000,
    euid: 0,
  });
  expect(parseStatus("")).toBeUndefined();
});

test("nobody logged in is undefined", () => {
  expect(parseLoginuid("1000")).toBe(1000);
  expect(parseLoginuid("0")).toBe(0);
  expect(parseLoginuid("4294967295")).toBeUndefined();
  expect(parseLoginuid("")).toBeUndefined();
});

test("the cgroup of the unified hierarchy, else that of pids", () => {
  expect(parseCgroup("0::/user.slice/a:b\n")).toBe("/user.slice/a:b");
  expect(parseCgroup("12:pids:/docker/x\n3:cpu,cpuacct:/y\n0::/\n")).toBe("/docker/x");
  expect(parseCgroup("12:pids:/docker/x\n1:name=systemd:/z\n")).toBe("/docker/x");
  expect(parseCgroup("0::/\n")).toBe("/");
  expect(parseCgroup("")).toBeUndefined();
});

test("terminals by their device", () => {
  const device = (major: number, minor: number) => ((minor >>> 8) << 20) | (major << 8) | (minor & 0xff);
  expect([34816, device(136, 3), device(137, 1), device(4, 1), device(4, 64)].map(ttyOfDevice)).toEqual([
    "pts/0",
    "pts/3",
    "pts/257",
    "tty1",
    "ttyS0",
  ]);
  expect([0, device(5, 1)].map(ttyOfDevice)).toEqual([undefined, undefined]);
});

test("arguments keep their emptiness", () => {
  expect(parseArgs(bytes(""))).toEqual([]);
  expect(parseArgs(bytes("\0"))).toEqual([""]);
  expect(parseArgs(bytes("a\0\0b c\0"))).toEqual(["a", "", "b c"]);
  expect(parseArgs(bytes("nginx: worker"))).toEqual(["nginx: worker"]);
  expect(parseArgs(new Uint8Array([0xff, 0]))).toEqual(["\ufffd"]);
});

test("arguments that are too long end in an ellipsis, and in a whole character", () => {
  expect(parseArgs(bytes(`${"x".repeat(ARGS_LIMIT - 1)}\0`))).toEqual(["x".repeat(ARGS_LIMIT - 1)]);
  expect(parseArgs(bytes(`a\0${"x".repeat(ARGS_LIMIT)}\0`))).toEqual(["a", `${"x".repeat(ARGS_LIMIT - 2)}…`]);
  expect(parseArgs(bytes("ä".repeat(ARGS_LIMIT)))).toEqual([`${"ä".repeat(ARGS_LIMIT / 2)}…`]);
  expect(parseArgs(bytes(`x${"ä".repeat(ARGS_LIMIT)}`))).toEqual([`x${"ä".repeat(ARGS_LIMIT / 2 - 1)}…`]);
});

test("a start time counts from boot", () => {
  expect(startTime(123n, 1_700_000_000_000_000_000n)).toBe("2023-11-14T22:13:21.230Z");
  expect(startTime(1n << 64n, 0n)).toBe("");
});

test("our own process is read as it is", () => {
  const args = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  const actor = readProcess(process.pid);
  const facts = actor!.process;
  const ancestors = facts.ancestors ?? [];
  expect(actor).toEqual({
    process: {
      pid: process.pid,
      ppid: process.ppid,
      name: readFileSync("/proc/self/comm", "utf8").trimEnd(),
      executable: process.execPath,
      args,
      start: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      tty: facts.tty,
      session: expect.any(Number),
      cgroup: parseCgroup(readFileSync("/proc/self/cgroup", "utf8")),
      container: facts.container,
      ancestors,
    },
    uid: process.getuid!(),
    euid: process.geteuid!(),
    loginuid: parseLoginuid(readFileSync("/proc/self/loginuid", "utf8")),
  });
  const [parent] = ancestors;
  expect(parent).toEqual({
    pid: process.ppid,
    name: readFileSync(`/proc/${process.ppid}/comm`, "utf8").trimEnd(),
    executable: readlinkSync(`/proc/${process.ppid}/exe`),
  });
  expect(ancestors.at(-1)?.pid).toBe(1);
  const started = Date.now() - process.uptime() * 1000;
  expect(Math.abs(Date.parse(actor!.process.start) - started)).toBeLessThan(2000);
});

test("a strange name, an executable that was deleted, a long command line", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-process-"));
  const path = join(directory, "x) S (1 2");
  copyFileSync("/bin/cat", path);
  await using child = Bun.spawn([path, "-", ...Array<string>(2000).fill("arg")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  // It answers, so it has been executed.
  child.stdin.write("ready");
  await child.stdin.flush();
  await child.stdout.getReader().read();
  rmSync(directory, { recursive: true });
  const actor = readProcess(child.pid);
  expect(actor?.process).toMatchObject({ ppid: process.pid, name: "x) S (1 2", executable: `${path} (deleted)` });
  expect(actor?.process.args.slice(0, 3)).toEqual([path, "-", "arg"]);
  expect(actor?.process.args.at(-1)).toEndWith("…");
  expect(actor!.process.args.join("\0").length).toBeLessThanOrEqual(ARGS_LIMIT + "…".length);
});

test("a zombie gives what is there", async () => {
  // What the shell became never waits for the shell's child.
  await using parent = Bun.spawn(["sh", "-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdout: "pipe" });
  const { value } = await parent.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  while (readStat(parent.pid)?.name !== "sleep") await Bun.sleep(1);
  process.kill(pid, "SIGKILL");
  while (readStat(pid)?.state !== "Z") await Bun.sleep(1);
  expect(readProcess(pid)).toMatchObject({
    process: { pid, ppid: parent.pid, executable: "", args: [] },
    uid: process.getuid!(),
  });
});

test("a kernel thread has a name and nothing else", () => {
  if (readStat(2)?.name !== "kthreadd") return; // another PID namespace
  expect(readProcess(2)?.process).toMatchObject({ ppid: 0, name: "kthreadd", executable: "", args: [] });
});

test("nobody is undefined", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  expect(readProcess(child.pid)).toBeUndefined();
  expect(readProcess(0)).toBeUndefined();
  expect(readProcess(-1)).toBeUndefined();
});
