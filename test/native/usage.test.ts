// What is said when bpfink cannot start: one line, with what to do about it, and the exit status for scripts.
import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "../../src/options.ts";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { BPFINK, bpfink, end, type Ended, SLOW } from "../e2e/process.ts";

/** Runs bpfink, which must fail with one line that holds all these texts. */
function expectError(status: number, told: readonly string[], ended: Ended): void {
  expect(ended).toMatchObject({ status, stdout: "" });
  // what it chose to watch with may be said before
  const lines = ended.stderr
    .split("\n")
    .filter((line) => !/^bpfink: (?:warn: not using ebpf|watching with)/.test(line));
  expect(lines).toEqual([expect.stringMatching(/^bpfink: error: \S.*; \S.*$/), ""]);
  for (const text of told) expect(lines[0]).toContain(text);
}

const usage: readonly (readonly [args: readonly string[], ...told: string[]])[] = [
  [["--wach", "/etc/passwd"], "--wach", "did you mean --watch?"],
  [["--databse=/x"], "--databse", "did you mean --database?"],
  [["--frobnicate"], "--frobnicate", "--help"],
  [["-w", "/etc/passwd"], "-w", "did you mean --watch?"],
  [["-v"], "-v", "did you mean --version?"],
  [["-r"], "-r", "--help"],
  [["--redact", "("], 'redact "("'],
  [["-vx"], "-v"],
  [["--watch"], "--watch needs a value", "--watch PATH"],
  [["--watch", "--exclude", "/x"], "--watch needs a value"],
  [["--watch="], "--watch needs a value"],
  [["--watch", "etc/passwd"], "etc/passwd", "--watch /var/etc/passwd"],
  [["--exclude", "*.log"], "--exclude", "relative", "/var/*.log"],
  [["--database", "x.db"], "--database", "/var/x.db"],
  [["--root", "x"], "--root", "/var/x"],
  [["/etc/passwd"], "/etc/passwd", "--watch /etc/passwd"],
  [["--watch", "/etc/passwd", "stop"], '"stop"'],
  [["--watch", "/a", "--", "/b"], "/b"],
  [["--backend", "epbf"], "epbf", "did you mean ebpf?"],
  [["--backend", "magic"], "magic", "auto", "fanotify"],
  [["--log-level", "wran"], "wran", "did you mean warn?"],
  [["--log-level", "9"], "debug, info, warn, error"],
  [["--root", "/a", "--root", "/b"], "--root", "once"],
  [["--database", "/a", "--database", "/b"], "--database", "once"],
  [["--backend", "auto", "--backend", "auto"], "--backend", "once"],
  [["--help=yes"], "--help"],
  [["--rescan", "25d"], "--rescan", "24d"], // a timer that waits longer goes off at once
  [["--graphite-interval", "25d"], "--graphite-interval", "24d"],
  [["--root", "/nonexistent", "--database", ":memory:"], "--root /nonexistent"],
  [["--root", "/dev/null", "--database", ":memory:"], "--root /dev/null"],
  [["--watch", "a\nb\u001b[31m"], "--watch"],
];

// how the command line is read does not depend on the kernel, and an emulated processor is slow

test.each(usage)("bad usage: bpfink %p", async (args, ...told) => {
  expectError(2, told, await bpfink(args, { cwd: "/var" }));
});

test("not root", async () => {
  using directory = new TemporaryDirectory();
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  let executable = BPFINK;
  if ((await end([...asNobody, "test", "-x", executable])).status !== 0) {
    executable = directory.at("bpfink");
    copyFileSync(BPFINK, executable);
  }
  const args = ["--watch", "/etc/passwd", "--database", directory.at("x.db")];
  expectError(3, ["root", "sudo"], await end([...asNobody, executable, ...args], { cwd: "/" }));
});

test(
  "databases that cannot be used",
  async () => {
    using directory = new TemporaryDirectory();
    const at = (name: string) => directory.at(name);
    const newer = new Database(directory.write("newer.db"));
    newer.run("PRAGMA application_id = 0x62706669");
    newer.run("PRAGMA user_version = 999");
    newer.close();
    const foreign = new Database(directory.write("foreign.db"));
    foreign.run("CREATE TABLE bookmarks (url TEXT)");
    foreign.close();
    symlinkSync(at("elsewhere.db"), at("link.db"));
    const text = directory.write("text", "for all to read\n");
    chmodSync(text, 0o644);
    const unusable: readonly (readonly [path: string, ...told: string[]])[] = [
      [directory.directory("directory.db"), "directory.db", "--database"],
      [at("newer.db"), "999", "newer"],
      [at("foreign.db"), "another program", "--database"],
      [at("no/such/directory/x.db"), "directory", "--database"],
      [join(directory.write("file"), "x.db"), "--database"],
      [at("link.db"), "symbolic link", "--database"],
      ["/proc/x.db"],
      [text, "not a database", "--database"],
      [text, "not a database", "--database"], // the second time as the first
    ];
    await using first = await Bpfink.start({ database: at("locked.db") });
    const cases = [...unusable, [first.database, "in use", "--database"] as const];
    for (const [path, ...told] of cases) {
      expectError(4, [path, ...told], await bpfink(["--watch", "/etc/passwd", "--database", path]));
    }
    expect(existsSync(at("elsewhere.db"))).toBe(false);
    expect({ mode: statSync(text).mode & 0o777, content: readFileSync(text, "utf8") }).toEqual({
      ...{ mode: 0o644, content: "for all to read\n" },
    });
    await first.noMoreLines(); // the second did not disturb it
  },
  SLOW,
);

test(
  "a backend that this kernel does not permit is refused when it is asked for by name",
  async () => {
    await using auto = await Bpfink.start({});
    if (auto.lines[0]?.backend !== "fanotify") return;
    const ended = await bpfink(["--watch", "/etc/passwd", "--database", ":memory:", "--backend", "ebpf"]);
    expectError(3, ["ebpf", "--backend auto"], ended);
  },
  SLOW,
);

test("--help tells of every option, at one of two places", async () => {
  const [first, second, short] = await Promise.all(
    [["--help"], ["watch", "--help"], ["-h"]].map((args) => bpfink(args)),
  );
  for (const option of Object.keys(SETTINGS))
    expect(first!.stdout + second!.stdout).toMatch(new RegExp(`^ +--${option} `, "m"));
  expect(first!.stdout.match(/^ {2}bpfink --watch .*$/gm)).toHaveLength(3);
  expect(short).toMatchObject({ status: 0, stdout: first!.stdout });
});

test("nothing is left to be watched", async () => {
  const args = ["--watch", "/etc/passwd", "--exclude", "/etc/*", "--database", ":memory:"];
  const { stderr } = await end(["timeout", "-s", "TERM", "5", BPFINK, ...args]);
  expect(stderr).toContain("bpfink: warn: nothing is watched: --exclude leaves out all that there is to watch\n");
});

test("stdout is closed: nothing is watched, and no line is taken for printed", async () => {
  using directory = new TemporaryDirectory();
  const args = ["--watch", "/etc/passwd", "--database", directory.at("x.db")];
  const ended = await end(["sh", "-c", 'exec "$0" "$@" >&-', BPFINK, ...args]);
  expectError(3, ["stdout is closed", "/dev/null"], ended);
  expect(existsSync(directory.at("x.db"))).toBe(false);
});

test("what nobody foresaw is one line, too, and no status that says something else", async () => {
  using directory = new TemporaryDirectory();
  for (const surprise of ["throw new Error('a\\nb')", "Promise.reject(new Error('a\\nb'))"]) {
    const preload = directory.write("x.js", `setTimeout(() => { ${surprise} }, 1)`);
    // a command that takes its time, with somebody's code, which it is watching alone that refuses it
    const ended = await end([BPFINK, "doctor", "--backend", "fanotify"], {
      env: { BUN_OPTIONS: `--preload=${preload}` },
    });
    expect(ended).toMatchObject({ status: 3, stderr: expect.stringMatching(/^bpfink: error: a b; .*report.*\n$/) });
  }
});

test("what cannot be written is said; what nobody reads any more is not", async () => {
  for (const args of ["--help", "--version", "doctor --help"]) {
    const told = await end(["sh", "-c", `"$0" ${args} > /dev/full`, BPFINK]);
    expect(told).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/^bpfink: error: stdout .*ENOSPC.*; .*\n$/),
    });
    const piped = await end(["bash", "-c", `"$0" ${args} | true; echo "\${PIPESTATUS[0]}"`, BPFINK]);
    expect(piped).toMatchObject({ stdout: "0\n", stderr: "" });
  }
});

test("--version names what is embedded", async () => {
  const { status, stdout, stderr } = await bpfink(["--version"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(
    /^bpfink \d+\.\d+\.\d+\nbun \d+\.\d+\.\d+\nlibbpf \d+\.\d+\nBPF object sha256:[0-9a-f]{64}\n$/,
  );
  const object = Bun.file(join(BPFINK, "../bpfink.bpf.o"));
  if (!(await object.exists())) return; // in a VM there is the executable alone
  const digest = new Bun.CryptoHasher("sha256").update(await object.bytes()).digest("hex");
  expect(stdout).toContain(`sha256:${digest}\n`);
});
