// bpfink check: one look at everything, and out.
import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmodSync, unlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { BPFINK, bpfink, end, SLOW } from "../e2e/process.ts";

const linesOf = (stdout: string) =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((text) => JSON.parse(text) as Record<string, unknown>);

test(
  "check says what differs and changes nothing; --update accepts it, and the log tells of it",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const tree = directory.directory("tree");
    for (const name of ["same", "text", "gone", "mode"]) directory.write(`tree/${name}`, "one\n");
    const args = ["--watch", `${tree}/*`, "--database", database];
    const check = (...more: string[]) => bpfink(["check", ...args, ...more]);

    expect(await check()).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining("does not exist") });
    expect(await check("--update")).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "bpfink: 5 looked at, 0 missing, 5 not known before, 0 accepted\n",
    });
    expect(await check()).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "bpfink: 5 looked at, 0 missing, 0 differ\n",
    });

    directory.write("tree/text", "two\n");
    unlinkSync(`${tree}/gone`);
    chmodSync(`${tree}/mode`, 0o600);
    directory.write("tree/new", "one\n");
    const first = await check();
    expect(first).toMatchObject({ status: 1, stderr: "bpfink: 5 looked at, 1 missing, 4 differ\n" });
    const differences = linesOf(first.stdout);
    expect(Object.fromEntries(differences.map(({ file, action }) => [file, action]))).toEqual({
      [`${tree}/text`]: "modified",
      [`${tree}/gone`]: "deleted",
      [`${tree}/mode`]: "attributes",
      [`${tree}/new`]: "created",
    });
    for (const line of differences) {
      expect(line).toMatchObject({ origin: "startup", backend: "none", level: "warn" });
      for (const key of ["seq", "prev", "hash", "process"]) expect(line).not.toHaveProperty(key);
    }
    const untimed = (stdout: string) => linesOf(stdout).map(({ time: _, ...rest }) => rest);
    expect(untimed((await check()).stdout)).toEqual(untimed(first.stdout));

    const accepted = await check("--update");
    expect(accepted).toMatchObject({ status: 1, stderr: "bpfink: 5 looked at, 1 missing, 4 accepted\n" });
    expect(linesOf(accepted.stdout).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect((await check()).status).toBe(0);

    await using watcher = await Bpfink.start({ watch: [`${tree}/*`], database });
    expect(watcher.texts.slice(0, 4)).toEqual(accepted.stdout.split("\n").slice(0, 4));
    expect(watcher.lines.at(-1)).toMatchObject({ action: "started", changed: 0 });
    // the database is the watcher's now: it can be compared with, and not be updated
    expect((await check()).status).toBe(0);
    expect(await check("--update")).toMatchObject({ status: 4, stderr: expect.stringContaining("in use by another") });
  },
  SLOW,
);

test("check needs no root for files that everybody may read, and says what it could not look at", async () => {
  using directory = new TemporaryDirectory();
  const open = directory.write("open", "one\n");
  const closed = directory.write("closed", "one\n", 0o600);
  const database = directory.at("state/x.db");
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const executable = directory.at("bpfink");
  await Bun.write(executable, Bun.file(BPFINK));
  chmodSync(executable, 0o755);
  const check = (...more: string[]) => end([...asNobody, executable, "check", "--database", database, ...more]);
  await bpfink(["check", "--update", "--watch", open, "--watch", closed, "--database", database]);
  expect(await check("--watch", open)).toMatchObject({ status: 4, stderr: expect.stringContaining("permi") });
  chmodSync(directory.at("state"), 0o777);
  chmodSync(database, 0o644);
  expect((await check("--watch", open)).status).toBe(0);
  const partly = await check("--watch", open, "--watch", closed);
  expect(partly).toMatchObject({ status: 3, stdout: "" });
  expect(partly.stderr).toContain(`cannot look at ${closed}`);
  writeFileSync(open, "two\n");
  expect((await check("--watch", open, "--watch", closed)).status).toBe(1);
});

test("a check whose lines nobody takes says that, once", async () => {
  using directory = new TemporaryDirectory();
  const files = ["a", "b"].map((name) => directory.write(name, "one\n"));
  const args = ["--database", directory.at("x.db"), ...files.flatMap((file) => ["--watch", file])];
  await bpfink(["check", "--update", ...args]);
  for (const file of files) writeFileSync(file, "two\n");
  const { status, stderr } = await end(["sh", "-c", '"$@" > /dev/full', "sh", BPFINK, "check", ...args]);
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: expect.stringMatching(/^bpfink: error: stdout cannot be written: ENOSPC.*; connect it\n$/),
  });
});

test("a state that somebody wrote into the database hides nothing, whatever it is", async () => {
  using directory = new TemporaryDirectory();
  const database = directory.at("state/x.db");
  const names = ["passwd", "text", "binary", "access.conf"];
  const contents = ["root:x:0:0:root:/root:/bin/bash\n", "one\n", "\0", "-:root:ALL\n"];
  const watch = names.flatMap((name, i) => ["--watch", directory.write(name, contents[i])]);
  const check = (...more: string[]) => bpfink(["check", "--database", database, ...watch, ...more]);
  await check("--update");
  const consumers = ["users", "access", "diff", "generic"];
  const shapes = consumers.flatMap((consumer) => [
    ...[{ consumer }, { consumer, type: "file" }, { consumer, type: "missing", entries: 5, lines: 5 }],
    { consumer, type: "file", entries: [5], lines: [5], text: 5, digest: 5, size: "x", mode: 5, problems: 5 },
  ]);
  for (const state of ["garbage", "null", "[]", ...shapes.map((shape) => JSON.stringify(shape))]) {
    using opened = new Database(database);
    opened.prepare("UPDATE state SET state = ?").run(state);
    const { stdout, stderr, status } = await check();
    const files = linesOf(stdout).map(({ file }) => file);
    expect({ state, status, files: files.sort() }).toEqual({
      ...{ state, status: 1 },
      files: names.map((name) => directory.at(name)).sort(),
    });
    expect(stderr).toContain("4 differ\n");
  }
}, 60_000);

test("a long check shows a bar on a terminal, and leaves nothing of it", async () => {
  using directory = new TemporaryDirectory();
  const tree = directory.directory("tree");
  for (let i = 0; i < 6000; i++) writeFileSync(`${tree}/${i}`, "");
  const args = `check --watch ${tree} --database ${directory.at("x.db")}`;
  await end(["sh", "-c", `${BPFINK} ${args} --update`]);
  const { stdout, status } = await end(["script", "-qec", `${BPFINK} ${args}`, "/dev/null"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/checking \[=+ +\] \d+ of 6001\r/);
  expect(stdout.split("\u001b[K").at(-1)).toMatch(/^bpfink: 6001 looked at, 0 missing, 0 differ\r?\n$/);
});

test(
  "what is named, and in a directory that is, differs once",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const file = directory.write("tree/f", "one\n");
    const args = ["check", "--watch", directory.at("tree"), "--watch", file, "--database", database];
    expect((await bpfink([...args, "--update"])).status).toBe(0);
    directory.write("tree/f", "two\n");
    const { stdout, stderr } = await bpfink(args);
    expect(linesOf(stdout)).toMatchObject([{ file, consumer: "diff", action: "modified" }]);
    expect(stderr).toBe("bpfink: 2 looked at, 0 missing, 1 differ\n");
  },
  SLOW,
);
