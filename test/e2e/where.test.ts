// Where the process was that did it: its terminal and session, its control group, its container.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const names = ["terminal", "none", "scope", "inner", "deep"];
const path = (name: string) => directory.at(`tree/${name}`);
let bp: Bpfink;

beforeAll(async () => {
  for (const name of names) directory.write(`tree/${name}`, "one\n");
  bp = await Bpfink.start({ watch: [directory.at("tree")] });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

test("a terminal and the session on it, of a process that is gone", async () => {
  const script = `tty; ps -o sid= -p $$; exec dd status=none conv=notrunc if=/dev/zero bs=4 count=1 of='${path("terminal")}'`;
  const { stdout } = await run("script", "--quiet", "--return", "--command", script, "/dev/null");
  const [, tty, session] = /\/dev\/(\S+)\s+(\d+)/.exec(stdout) ?? [];
  expect(tty).toMatch(/^pts\/\d+$/);
  const line = await bp.only(path("terminal"));
  expect(line.process).toMatchObject({ name: "dd", tty, session: Number(session) });
});

test("no terminal, and a session of its own", async () => {
  const { stdout } = await run(
    ...["setsid", "--wait", "sh", "-c"],
    `echo $$; exec dd status=none conv=notrunc if=/dev/zero bs=4 count=1 of='${path("none")}'`,
  );
  const line = await bp.only(path("none"));
  expect(line.process).toMatchObject({ name: "dd", pid: Number(stdout), session: Number(stdout) });
  expect(line.process).not.toHaveProperty("tty");
});

/** The unified hierarchy, or where that is not used the pids controller's. */
const HIERARCHY = ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/pids/cgroup.procs"]
  .filter((file) => existsSync(file))
  .map((file) => file.slice(0, file.lastIndexOf("/")))[0];
const ID = "0123456789abcdef".repeat(4);

/** What a process in a control group, made for it, is said to be in. */
async function writtenIn(cgroup: string, name: string) {
  const components = cgroup.split("/");
  const directories = components.map(
    (_, i) => `${HIERARCHY}/bpfink-${process.pid}/${components.slice(0, i + 1).join("/")}`,
  );
  mkdirSync(directories.at(-1)!, { recursive: true });
  try {
    const script = `echo $$ > "$0/cgroup.procs" && exec dd status=none conv=notrunc if=/dev/zero bs=4 count=1 of="$1"`;
    await run("sh", "-c", script, directories.at(-1)!, path(name));
    const line = await bp.only(path(name));
    return line.process as Record<string, unknown> | undefined;
  } finally {
    for (const made of directories.toReversed()) rmdirSync(made);
    rmdirSync(`${HIERARCHY}/bpfink-${process.pid}`);
  }
}

test.each([
  ["scope", `docker-${ID}.scope`],
  ["inner", `libpod-${ID}.scope/container/init.scope`],
])("a control group, and the container that it is of: %s", async (name, cgroup) => {
  expect(HIERARCHY).toBeDefined();
  expect(await writtenIn(cgroup, name)).toMatchObject({ cgroup: `/bpfink-${process.pid}/${cgroup}`, container: ID });
});

test("a control group that lies too deep is cut at its beginning, and says so", async () => {
  const levels = Array.from({ length: 12 }, (_, i) => `level-${i}`);
  const shown = (await writtenIn(levels.join("/"), "deep"))?.["cgroup"];
  const cut = `…/${levels.slice(-9).join("/")}`;
  // beside fanotify it is read from /proc, in full, if the process is there still
  expect(inVm ? [cut] : [cut, `/bpfink-${process.pid}/${levels.join("/")}`]).toContain(String(shown));
});
