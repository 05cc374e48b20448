// Stores through a shared mapping, of files that come, go and come again.
import { expect, test } from "bun:test";
import { renameSync, rmSync, statfsSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { run, SLOW } from "./process.ts";

/** Not on tmpfs, as /tmp may be: nothing is written back there. */
const PARENT = "/var/tmp";
/** statfs(2). */
const EXT4 = 0xef53;

/** Stores through a mapping that stays, with no descriptor left to be closed, and waits to be ended. */
const STORE = `
  use strict; my ($file, $text) = @ARGV;
  open(my $fh, "+<", $file) or die $!;
  my $map = syscall(9, 0, 4096, 3, 1, fileno($fh), 0);   # mmap(2), x86-64: PROT_READ | PROT_WRITE, MAP_SHARED
  close $fh;
  select(undef, undef, undef, 0.2);   # the look that the close brings about is over by then
  open(my $mem, "+<", "/proc/self/mem") or die $!;
  sysseek($mem, $map, 0); syswrite($mem, $text) == length $text or die $!;
  $| = 1; print "stored\\n"; sleep 1000;
`;

async function store(file: string, text: string): Promise<AsyncDisposable & { readonly pid: number }> {
  const child = Bun.spawn(["perl", "-e", STORE, file, text], { stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

test(
  "a file is seen to be stored to as long as it has its name, whatever file had the inode's number before",
  async () => {
    expect(statfsSync(PARENT).type).toBe(EXT4);
    using directory = new TemporaryDirectory(PARENT);
    const file = directory.write("f", "one\n");
    await run("sync", "-f", directory.path);
    await using bp = await Bpfink.start({ watch: [file] });
    for (const text of ["two\n", "six\n", "ten\n"]) {
      await using storing = await store(file, text);
      const line = await bp.nextChange(file);
      expect(line).toMatchObject({ action: "modified", process: { pid: storing.pid, name: "perl" }, user: "root" });
      expect(line).not.toHaveProperty("actors");
      // the number is free, and likely the next file's
      rmSync(file);
      expect(await bp.nextChange(file)).toMatchObject({ action: "deleted" });
      renameSync(directory.write("new", "one\n"), file);
      expect(await bp.nextChange(file)).toMatchObject({ action: "created" });
      await run("sync", "-f", directory.path);
    }
    await bp.noMoreLines();
  },
  SLOW,
);

test(
  "who writes to a file that got the number of a replaced one has not changed that",
  async () => {
    using directory = new TemporaryDirectory(PARENT);
    const files = Array.from({ length: 20 }, (_, i) => directory.write(`f${i}`, "one\n"));
    await using bp = await Bpfink.start({ watch: files });
    for (const file of files) {
      // the last name of the old inode goes with the rename, and its number to the next file that is made
      await run("sh", "-c", 'echo two > "$0.new" && mv "$0.new" "$0"', file);
      directory.write(`other-${files.indexOf(file)}`, "of no interest\n");
    }
    for (const file of files) {
      const line = await bp.nextChange(file);
      expect(line).toMatchObject({ action: "modified", add: { Content: ["two"] } });
      const actors = line.actors?.map((actor) => actor.process.pid) ?? [line.process?.pid];
      expect(actors).not.toContain(process.pid);
    }
  },
  SLOW,
);
