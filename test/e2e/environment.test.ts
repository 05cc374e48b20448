// The executable needs nothing but itself, and takes nothing from where it is run.
import { expect, test } from "bun:test";
import { appendFileSync, copyFileSync, existsSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { BPFINK, bpfink, end, inVm, KERNEL, run, SLOW } from "./process.ts";

/** What the kernel does to the place of an executable: here, and on the oldest kernel. */
const WHERE = !inVm || KERNEL === "5.10";

/** Everything read-only and nothing executable in /tmp, but for one directory; then the command. */
const LOCKED_DOWN = `
  set -e
  mount --make-rprivate /
  mount --bind /tmp /tmp
  mount -o remount,bind,noexec,nosuid,nodev /tmp
  mount --bind "$0" "$0"
  mount -o remount,bind,exec "$0"
  mount -o remount,bind,ro /
  exec "$@"
`;

/** A directory in which a bun would read settings, and run what they say. */
function hostile(directory: TemporaryDirectory): string {
  const marker = directory.at("evil-was-here");
  const evil = directory.write("cwd/evil.ts", `await Bun.write(${JSON.stringify(marker)}, ""); console.log("evil");`);
  directory.write(
    "cwd/bunfig.toml",
    `preload = ["${evil}"]\nlogLevel = "debug"\n[run]\nbun = true\n[test]\npreload = ["${evil}"]\n`,
  );
  directory.write("cwd/.env", `BUN_BE_BUN=1\nBUN_OPTIONS="--preload ${evil}"\nNODE_OPTIONS="--require ${evil}"\n`);
  directory.write("cwd/package.json", '{"name": "bpfink", "version": "6.6.6", "main": "evil.ts"');
  directory.write("cwd/tsconfig.json", "{ not json");
  directory.write("cwd/index.ts", `import "./evil.ts";`);
  return directory.at("cwd");
}

test.if(WHERE)(
  "the executable alone, elsewhere, with a read-only root, /tmp noexec and a hostile working directory",
  async () => {
    using directory = new TemporaryDirectory();
    const executable = directory.at("alone/bpfink");
    directory.directory("alone");
    copyFileSync(BPFINK, executable);
    const file = directory.write("f", "one\n");
    const cwd = hostile(directory);
    await using bp = await Bpfink.start({
      executable,
      cwd,
      watch: [file],
      database: directory.at("state/x.db"),
      wrapper: ["unshare", "-m", "sh", "-c", LOCKED_DOWN, directory.path],
    });
    appendFileSync(file, "two\n");
    const line = await bp.only(file);
    expect(line).toMatchObject({ action: "modified", add: { Content: ["two"] } });
    expect(line.version).not.toBe("6.6.6");
    expect((await bp.stop("SIGTERM")).status).toBe(0);
    expect(existsSync(directory.at("evil-was-here"))).toBe(false);
  },
  2 * SLOW,
);

test.if(WHERE)("a hostile working directory does not change what is said", async () => {
  using directory = new TemporaryDirectory();
  const cwd = hostile(directory);
  const there = await bpfink(["--version"], { cwd });
  expect(there).toMatchObject({ status: 0, stderr: "" });
  expect(there.stdout).toBe((await bpfink(["--version"], { cwd: "/" })).stdout);
  expect(existsSync(directory.at("evil-was-here"))).toBe(false);
});

test.if(WHERE)("the locked-down place is one", async () => {
  using directory = new TemporaryDirectory();
  directory.write("try.sh", "#!/bin/sh\n", 0o755);
  using other = new TemporaryDirectory();
  other.write("try.sh", "#!/bin/sh\n", 0o755);
  const inside = (...command: string[]) => end(["unshare", "-m", "sh", "-c", LOCKED_DOWN, directory.path, ...command]);
  expect((await inside(directory.at("try.sh"))).status).toBe(0);
  expect((await inside(other.at("try.sh"))).status).toBe(126);
  expect((await inside("touch", "/bpfink-e2e")).status).toBe(1);
  await run("test", "!", "-e", "/bpfink-e2e");
});

test.if(WHERE)("without HOME, PATH or anything else in the environment", async () => {
  const { status, stdout } = await end(["env", "-i", BPFINK, "--version"]);
  expect({ status, first: stdout.split(" ")[0] }).toEqual({ status: 0, first: "bpfink" });
});

test.if(WHERE)(
  "a database in memory leaves nothing behind and knows nothing of the last run",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "one\n");
    const cwd = directory.directory("cwd");
    await using bp = await Bpfink.start({ watch: [file], database: ":memory:", cwd });
    appendFileSync(file, "two\n");
    expect(await bp.only(file)).toMatchObject({ action: "modified" });
    expect((await bp.stop("SIGTERM")).status).toBe(0);
    expect([...new Bun.Glob("**").scanSync({ cwd, dot: true })]).toEqual([]);
  },
  SLOW,
);
