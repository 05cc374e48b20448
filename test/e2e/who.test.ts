// Who did it: processes that live on, and those that are gone before anybody can look at them.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, closeSync, openSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import type { Line } from "./line.ts";
import { end, inVm, KERNEL, run, SLOW, Writer } from "./process.ts";

const directory = new TemporaryDirectory();
const NOBODY = "65534";
const names = [
  ...["test", "tee", "script", "sed", "mv", "cp", "rm", "chmod", "chown", "append", "truncate", "ln", "touch"],
  ...["nobody", "nobody-gone", "euid", "login", "two", "renamed-exe", "long", "innocent", "memory", "many", "swapped"],
];
const at = Object.fromEntries(names.map((name) => [name, directory.write(name, "one\n", 0o666)]));
const disk = new TemporaryDirectory("/var/tmp");
at["forgotten"] = disk.write("forgotten", "one\n");
let bp: Bpfink;

beforeAll(async () => {
  bp = await Bpfink.start({ watch: Object.values(at) });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
  disk[Symbol.dispose]();
});

const path = (name: string): string => at[name] ?? directory.at(name);
const which = (command: string): string => realpathSync(Bun.which(command) ?? command);

/** What a line says of a child of ours that root ran. */
const by = (pid: number, args: readonly string[], name = args[0]) => ({
  process: { pid, ppid: process.pid, name, executable: which(args[0] ?? ""), args },
  processName: name,
  user: "root",
});

function expectStart(line: Line, earliest: number): void {
  const start = Date.parse(line.process?.start ?? "");
  expect(start).toBeGreaterThanOrEqual(earliest - 1000); // /proc counts in hundredths; clocks are read one after the other
  expect(start).toBeLessThanOrEqual(Date.parse(line.time) + 1000);
}

test("this process, which wrote and lives on", async () => {
  writeFileSync(path("test"), "two\n");
  const line = await bp.only(path("test"));
  const args = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
  expect(line).toMatchObject({
    host: hostname(),
    process: {
      pid: process.pid,
      ppid: process.ppid,
      name: readFileSync("/proc/self/comm", "utf8").trimEnd(),
      executable: realpathSync("/proc/self/exe"),
      args,
    },
    user: "root",
  });
  expect(line).not.toHaveProperty("effectiveUser");
  expect(line).not.toHaveProperty("actors");
});

test("a writer that keeps the file open", async () => {
  const before = Date.now();
  await using tee = new Writer("tee", "-a", path("tee"));
  await tee.write("two\n");
  const line = await bp.only(path("tee"));
  expect(line).toMatchObject({ action: "modified", ...by(tee.pid, ["tee", "-a", path("tee")]) });
  expectStart(line, before);
});

const shortLived: readonly (readonly [name: string, action: string, ...command: string[]])[] = [
  ["sed", "modified", "sed", "-i", "s/one/two/", path("sed")],
  ["mv", "modified", "mv", directory.write("mv.new", "two\n"), path("mv")],
  ["cp", "modified", "cp", directory.write("cp.new", "two\n"), path("cp")],
  ["rm", "deleted", "rm", path("rm")],
  ["chmod", "attributes", "chmod", "600", path("chmod")],
  ["chown", "attributes", "chown", "12345", path("chown")],
  [
    "append",
    "modified",
    "dd",
    "status=none",
    "conv=notrunc",
    "oflag=append",
    `if=${path("mv.new")}`,
    `of=${path("append")}`,
  ],
  ["truncate", "modified", "truncate", "-s", "1", path("truncate")],
  ["ln", "modified", "ln", "-f", directory.write("ln.new", "two\n"), path("ln")],
  ["script", "modified", "bash", "-c", `echo two >> ${path("script")}`],
];
directory.write("mv.new", "two\n");

test.each(shortLived)("%s, which is gone at once", async (name, action, ...command) => {
  if (name === "append") directory.write("mv.new", "two\n");
  const before = Date.now();
  const { pid } = await run(...command);
  const line = await bp.only(path(name));
  expect(line).toMatchObject({ action, ...by(pid, command) });
  expectStart(line, before);
});

test("an executable that was renamed, under its own name", async () => {
  const program = directory.at("my program");
  await run("cp", which("tee"), program);
  await using tee = new Writer(program, "-a", path("renamed-exe"));
  await tee.write("two\n");
  expect(await bp.only(path("renamed-exe"))).toMatchObject({
    process: { pid: tee.pid, name: "my program", executable: program, args: [program, "-a", path("renamed-exe")] },
    processName: "my program",
  });
});

/** memfd_create(2), by its number on x86-64; a copy of a program in it, executed. */
const FROM_MEMORY = `
  use strict; my ($name, $program, @args) = ("hidden", @ARGV);
  my $fd = syscall(319, $name, 0);
  open(my $from, "<", $program) or die $!; open(my $to, ">&=", $fd) or die $!;
  local $/; print {$to} <$from>; $to->flush;
  exec {"/proc/self/fd/$fd"} "hidden", @args or die $!;
`;

test("an executable that is in no directory", async () => {
  await using tee = new Writer("perl", "-MIO::Handle", "-e", FROM_MEMORY, which("tee"), "-a", path("memory"));
  await tee.write("two\n");
  const { process } = await bp.only(path("memory"));
  expect(process?.pid).toBe(tee.pid);
  expect(process?.executable).toMatch(/^\/memfd:hidden( \(deleted\))?$/); // as /proc has it
});

test("arguments with spaces, newlines, nothing and more than the kernel keeps", async () => {
  const args = ["bash", "-c", `echo two >> "$0"; read -r _`, path("long"), "a b", "c\nd", "", "é", "x".repeat(5000)];
  await using bash = new Writer(...args);
  const line = await bp.only(path("long"));
  const shown = line.process?.args ?? [];
  expect(shown.slice(0, 8)).toEqual(args.slice(0, 8));
  expect(shown).toHaveLength(9);
  expect(shown[8]).toMatch(/^x+…$/);
  expect(line.process?.pid).toBe(bash.pid);
});

/** Has the kernel swap out the page of its arguments (madvise(2) by its number on x86-64, MADV_PAGEOUT), and writes. */
const SWAPPED = `
  open(my $stat, "<", "/proc/self/stat") or die $!;
  my @fields = split(/ /, (split(/\\) /, <$stat>))[1]);
  my $page = $fields[48 - 3] & ~4095;
  open(my $file, ">>", $ARGV[0]) or die $!;
  sub swapped { open(my $maps, "<", "/proc/self/pagemap") or die $!; seek($maps, $page / 512, 0); read($maps, my $entry, 8);
    return (unpack("Q", $entry) >> 62) & 1 }
  for (1 .. 100) { syscall(28, $page, 4096, 21) == 0 or die $!; last if swapped(); select(undef, undef, undef, 0.01) }
  swapped() or die "the page stays";
  syswrite($file, "two\\n"); <STDIN>;
`;

// 6.1 does not swap the page out when it is asked to
const SWAPS = ["6.12", "sid"].includes(KERNEL ?? "");

test.if(SWAPS)("arguments that are swapped out, of a process that lives on", async () => {
  using disk = new TemporaryDirectory("/var/tmp"); // no swapping to tmpfs
  const swap = disk.at("swap");
  await run("dd", "status=none", "if=/dev/zero", "bs=1M", "count=16", `of=${swap}`);
  await run("chmod", "600", swap);
  await run("mkswap", swap);
  await run("swapon", swap);
  try {
    const command = ["perl", "-e", SWAPPED, path("swapped"), "x".repeat(5000)];
    // now and then the kernel keeps a page: the next process gets another one
    await using shell = new Writer("sh", "-c", 'until "$@"; do :; done', "sh", ...command);
    const line = await bp.only(path("swapped"));
    expect(line.process?.ppid).toBe(shell.pid);
    expect(line.process?.args.slice(0, 2)).toEqual(command.slice(0, 2));
  } finally {
    await run("swapoff", swap);
  }
});

test("another user", async () => {
  await using tee = new Writer("setpriv", `--reuid=${NOBODY}`, "--clear-groups", "tee", "-a", path("nobody"));
  await tee.write("two\n");
  const line = await bp.only(path("nobody"));
  expect(line).toMatchObject({ ...by(tee.pid, ["tee", "-a", path("nobody")]), user: "nobody" });
  expect(line).not.toHaveProperty("effectiveUser");
});

test("another user, who is gone at once", async () => {
  const { pid } = await run(
    "setpriv",
    `--reuid=${NOBODY}`,
    "--clear-groups",
    "truncate",
    "-s",
    "1",
    path("nobody-gone"),
  );
  const line = await bp.only(path("nobody-gone"));
  expect(line).toMatchObject({ ...by(pid, ["truncate", "-s", "1", path("nobody-gone")]), user: "nobody" });
});

test("a process with another effective user, as of a setuid program", async () => {
  await using tee = new Writer("setpriv", `--ruid=${NOBODY}`, "tee", "-a", path("euid"));
  await tee.write("two\n");
  expect(await bp.only(path("euid"))).toMatchObject({
    process: { pid: tee.pid },
    user: "nobody",
    effectiveUser: "root",
  });
});

const logIn = `echo ${NOBODY} > /proc/self/loginuid`;
const canLogIn = (await end(["sh", "-c", logIn])).status === 0;

test.skipIf(!canLogIn)("the user who logged in, whatever became of him", async () => {
  await using tee = new Writer("sh", "-c", `${logIn} && exec tee -a "$0"`, path("login"));
  await tee.write("two\n");
  const line = await bp.only(path("login"));
  expect(line).toMatchObject({ process: { pid: tee.pid }, user: "root", loginUser: "nobody" });
});

test("two processes that wrote before bpfink could look are both named", async () => {
  await using first = new Writer("tee", "-a", path("two"));
  await using second = new Writer("setpriv", `--reuid=${NOBODY}`, "--clear-groups", "tee", "-a", path("two"));
  {
    using _ = await bp.pause();
    await first.write("two\n");
    await sizeOf("two", 8);
    await second.write("three\n");
    await sizeOf("two", 14);
  }
  const line = await bp.only(path("two"));
  expect(line).toMatchObject({ add: { Content: ["two", "three"] }, process: { pid: second.pid }, user: "nobody" });
  expect(line.actors?.map(({ process, user }) => [process.pid, user])).toEqual([
    [first.pid, "root"],
    [second.pid, "nobody"],
  ]);
});

test("of twenty processes that wrote sixteen are named, and it is said that there were more", async () => {
  const pids: number[] = [];
  {
    using _ = await bp.pause();
    for (let i = 0; i < 20; i++)
      pids.push((await run("dd", "status=none", "if=/dev/zero", "bs=1", `count=${i + 1}`, `of=${path("many")}`)).pid);
  }
  const line = await bp.only(path("many"));
  expect(line).toMatchObject({ process: { pid: pids.at(-1) }, moreActors: true });
  expect(line.actors?.map(({ process }) => process.pid)).toEqual(pids.slice(-16));
});

async function sizeOf(name: string, size: number): Promise<void> {
  while (Bun.file(path(name)).size !== size) await Bun.sleep(1);
}

test("the reader of a file, and who opened it for writing only, are not to blame", async () => {
  chmodSync(path("touch"), 0o644);
  await bp.only(path("touch"));
  await run("dd", "status=none", "if=/dev/null", "conv=notrunc", `of=${path("touch")}`);
  renameSync(directory.write("touch.tmp", "two\n"), path("touch"));
  const line = await bp.only(path("touch"));
  expect(line).toMatchObject({ process: { pid: process.pid } });
  expect(line).not.toHaveProperty("actors");
});

// Only a file system on a disk can lose names: on tmpfs the cache is all there is.
test.if(inVm)("who looks at a file whose name the kernel had forgotten is not to blame", async () => {
  using pause = await bp.pause();
  writeFileSync("/proc/sys/vm/drop_caches", "2");
  await run("cat", path("forgotten"));
  const { pid } = await run("cp", directory.write("forgotten.new", "two\n"), path("forgotten"));
  writeFileSync("/proc/sys/vm/drop_caches", "2");
  await run("cat", path("forgotten"));
  pause[Symbol.dispose]();
  const line = await bp.only(path("forgotten"));
  expect(line).toMatchObject({ process: { pid } });
  expect(line).not.toHaveProperty("actors");
});

test("who opens the file while another writes it is never blamed for what that one wrote", async () => {
  const script = 'while read -r n; do echo "$n" > "$0"; done';
  await using writer = new Writer("bash", "-c", script, path("innocent"));
  const blamed = new Set<number | undefined>();
  for (let n = 1; n <= (inVm ? 10 : 100); n++) {
    await writer.write(`${n}\n`);
    let isWritten = false;
    const line = bp.line(({ file, add }) => file === path("innocent") && Bun.deepEquals(add, { Content: [String(n)] }));
    const seen = line.finally(() => (isWritten = true));
    while (!isWritten) {
      closeSync(openSync(path("innocent"), "r+")); // makes bpfink look at once
      await Bun.sleep(inVm ? 10 : 1);
    }
    blamed.add((await seen).process?.pid);
  }
  await bp.rest();
  // where the event of a write is among those lost, nobody is
  if (bp.lines.some(({ action }) => action === "gap")) blamed.delete(undefined);
  expect([...blamed]).toEqual([writer.pid]);
});
