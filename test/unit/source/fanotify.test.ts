import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  statSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot } from "../../../src/kernel/libc.ts";
import { openFanotify } from "../../../src/source/fanotify.ts";
import { Doer, Rig } from "./fanotify-rig.ts";

// fanotify needs CAP_SYS_ADMIN, and mounting does.
const root = isRoot();
const tmpfs = mkdtempSync(join(tmpdir(), "bpfink-tmpfs-"));
let doer: Doer;

beforeAll(() => {
  doer = new Doer();
  if (root) expect(Bun.spawnSync(["mount", "-t", "tmpfs", "none", tmpfs]).exitCode).toBe(0);
});

afterAll(async () => {
  await doer[Symbol.asyncDispose]();
  if (root) expect(Bun.spawnSync(["umount", tmpfs]).exitCode).toBe(0);
  rmdirSync(tmpfs);
});

/** What is done by another process in d (watched, with f marked) and o (not watched), and all that is to be reported of it. */
const acts: [what: string, code: string, expected: string[]][] = [
  ["append", "fs.appendFileSync(`${d}/f`, `x`)", ["write f d/f", "close f d/f"]],
  ["write, still open", "globalThis.fd = fs.openSync(`${d}/f`, `a`); fs.writeSync(fd, `x`)", ["write f d/f"]],
  ["open for writing, no write", "fs.closeSync(fs.openSync(`${d}/f`, `a`))", ["close f d/f"]],
  ["read", "fs.readFileSync(`${d}/f`); fs.readdirSync(d)", []],
  ["O_TRUNC", "fs.closeSync(fs.openSync(`${d}/f`, `w`))", ["write f d/f", "close f d/f"]],
  ["truncate", "fs.truncateSync(`${d}/f`)", ["write f d/f"]],
  ["chmod", "fs.chmodSync(`${d}/f`, 0o600)", ["attributes f d/f"]],
  ["chown", "fs.chownSync(`${d}/f`, 1, 1)", ["attributes f d/f"]],
  ["utimes", "fs.utimesSync(`${d}/f`, 1, 1)", ["attributes f d/f"]],
  ["write through a hard link elsewhere", "fs.appendFileSync(`${o}/link`, `x`)", ["write f ?/link", "close f ?/link"]],
  ["create and write a new file", "fs.writeFileSync(`${d}/n`, `x`)", ["birth ? d/n"]],
  ["mkdir", "fs.mkdirSync(`${d}/n`)", ["birth ? d/n"]],
  ["symlink", "fs.symlinkSync(`f`, `${d}/n`)", ["birth ? d/n"]],
  ["link", "fs.linkSync(`${d}/f`, `${d}/n`)", ["attributes f", "birth f d/n"]],
  ["unlink one name of two", "fs.unlinkSync(`${d}/f`)", ["attributes f", "gone f d/f"]],
  [
    "unlink the last name",
    "fs.unlinkSync(`${o}/link`); fs.unlinkSync(`${d}/f`)",
    ["attributes f", "gone f", "gone f d/f"],
  ],
  ["rename within", "fs.renameSync(`${d}/f`, `${d}/n`)", ["rename f", "rename f d/f>d/n"]],
  ["rename out of", "fs.renameSync(`${d}/f`, `${o}/n`)", ["rename f", "rename f d/f"]],
  ["rename into", "fs.renameSync(`${o}/x`, `${d}/n`)", ["rename ? d/n"]],
  ["replace", "fs.renameSync(`${o}/x`, `${d}/f`)", ["attributes f", "rename ? d/f"]],
  [
    "save by temporary file",
    "fs.writeFileSync(`${d}/n`, `x`); fs.renameSync(`${d}/n`, `${d}/f`)",
    ["attributes f", "birth ? d/n", "rename ? d/n>d/f"],
  ],
  ["chmod of the directory", "fs.chmodSync(d, 0o700)", ["attributes d"]],
  ["rename of the directory", "fs.renameSync(d, `${d}2`); fs.renameSync(`${d}2`, d)", ["rename d"]],
  ["files that nobody watches", "fs.writeFileSync(`${o}/n`, `x`); fs.appendFileSync(`${d}/unwatched`, `x`)", []],
  [
    "names that are not ASCII",
    "fs.writeFileSync(`${d}/\\u00e4 \\n${`x`.repeat(250)}`, ``)",
    [`birth ? d/ä \n${"x".repeat(250)}`],
  ],
];

describe.skipIf(!root).each([
  ["the temporary directory", tmpdir()],
  ["tmpfs", tmpfs],
])("on %s", (_, parent) => {
  test.each(acts)("%s", async (_, code, expected) => {
    using rig = new Rig(parent);
    for (const path of [`${rig.d}/f`, `${rig.d}/unwatched`, `${rig.o}/x`]) writeFileSync(path, "1");
    linkSync(`${rig.d}/f`, `${rig.o}/link`);
    rig.watch(rig.d, "directory", "d");
    rig.watch(`${rig.d}/f`, "file", "f");
    rig.start();
    const before = BigInt(Date.now()) * 1_000_000n;
    await doer.run(`var d = ${JSON.stringify(rig.d)}, o = ${JSON.stringify(rig.o)}; ${code}`);
    await rig.settle();
    expect([...new Set(rig.seen.map(({ text }) => text))].sort()).toEqual(expected.sort());
    for (const { actor, event } of rig.seen) {
      expect(actor).toMatchObject({ process: { pid: doer.pid, executable: process.execPath }, uid: 0, euid: 0 });
      expect(event.time).toBeGreaterThanOrEqual(before);
      expect(event.time).toBeLessThanOrEqual(BigInt(Date.now() + 1) * 1_000_000n);
    }
  });

  test("a directory that is removed", async () => {
    using rig = new Rig(parent);
    mkdirSync(`${rig.d}/s`);
    rig.watch(rig.d, "directory", "d");
    rig.watch(`${rig.d}/s`, "directory", "s");
    rig.start();
    rmdirSync(`${rig.d}/s`);
    await rig.settle();
    expect(rig.seen.map(({ text }) => text).sort()).toEqual(["gone s", "gone s d/s"]);
  });
});

describe.skipIf(!root)("watch", () => {
  test("is idempotent, and the key belongs to the inode, not to the name", () => {
    using rig = new Rig(tmpdir());
    const f = `${rig.d}/f`;
    writeFileSync(f, "");
    linkSync(f, `${rig.d}/g`);
    const key = rig.watch(f, "file", "f");
    expect(key).toBeString();
    expect(rig.watch(f, "file", "f")).toBe(key!);
    expect(rig.watch(`${rig.d}/g`, "file", "f")).toBe(key!);
    writeFileSync(`${rig.d}/new`, "");
    renameSync(`${rig.d}/new`, f);
    expect(rig.watch(f, "file", "f")).not.toBe(key!);
  });

  test("is undefined for what is not there, or not a directory any more", () => {
    using rig = new Rig(tmpdir());
    writeFileSync(`${rig.d}/f`, "");
    symlinkSync(`${rig.d}/loop`, `${rig.d}/loop`);
    expect(rig.watch(`${rig.d}/none`, "file", "")).toBeUndefined();
    expect(rig.watch(`${rig.d}/f/x`, "file", "")).toBeUndefined();
    expect(rig.watch(`${rig.d}/f`, "directory", "")).toBeUndefined();
    expect(rig.watch(`${rig.d}/loop/x`, "file", "")).toBeUndefined();
  });

  test("events from before start are not lost", async () => {
    using rig = new Rig(tmpdir());
    rig.watch(rig.d, "directory", "d");
    mkdirSync(`${rig.d}/early`);
    rig.start();
    await rig.until(() => rig.seen.length > 0);
    expect(rig.seen.map(({ text }) => text)).toEqual(["birth ? d/early"]);
  });

  test.each(["where it was", "after it moved"])("unwatch takes the mark off, %s", async (where) => {
    using rig = new Rig(tmpdir());
    const [f, g] = [`${rig.d}/f`, `${rig.d}/g`];
    writeFileSync(f, "");
    const key = rig.watch(f, "file", "f")!;
    const inode = statSync(f).ino;
    expect(markCount(inode)).toBe(1);
    if (where !== "where it was") renameSync(f, g);
    rig.source.unwatch(key, f);
    rig.source.unwatch(key, f);
    expect(markCount(inode)).toBe(0);
  });

  test("a bind mount shows the same inodes", async () => {
    using rig = new Rig(tmpdir());
    writeFileSync(`${rig.d}/f`, "");
    expect(Bun.spawnSync(["mount", "--bind", rig.d, rig.o]).exitCode).toBe(0);
    try {
      rig.watch(`${rig.o}/f`, "file", "f");
      rig.watch(rig.d, "directory", "d");
      rig.start();
      chmodSync(`${rig.d}/f`, 0o600);
      await rig.settle();
      expect(rig.seen.map(({ text }) => text)).toEqual(["attributes f d/f"]);
    } finally {
      expect(Bun.spawnSync(["umount", rig.o]).exitCode).toBe(0);
    }
  });
});

/** Marks on an inode by all fanotify descriptors of this process: proc_pid_fdinfo(5). */
function markCount(inode: number): number {
  return fanotifyFds()
    .flatMap((fd) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("\n");
      } catch {
        return []; // of a test before, closed by its thread meanwhile
      }
    })
    .filter((line) => line.startsWith(`fanotify ino:${inode.toString(16)} `)).length;
}

function fanotifyFds(): string[] {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("[fanotify]");
    } catch {
      return false; // the descriptor of the listing itself
    }
  });
}

describe.skipIf(!root)("dispose", () => {
  test("closes everything and reports nothing more, twice if asked to", async () => {
    while (fanotifyFds().length > 0) await Bun.sleep(1); // of the tests before
    const rig = new Rig(tmpdir());
    rig.watch(rig.d, "directory", "d");
    rig.start();
    await rig.settle();
    rig[Symbol.dispose]();
    rig[Symbol.dispose]();
    while (fanotifyFds().length > 0) await Bun.sleep(1);
    expect(rig.seen).toEqual([]);
  });

  test.each(["before start", "after start"])("lets the process end, %s", async (when) => {
    const module = JSON.stringify(join(import.meta.dir, "../../../src/source/fanotify.ts"));
    const start =
      when === "after start"
        ? "s.start({ onEvent() {}, onLost() {}, onError(e) { throw e } }); await Bun.sleep(1);"
        : "";
    const code = `import { openFanotify } from ${module};
      const s = openFanotify(); s.watch({ path: "/", device: 0, inode: 0n, as: "directory" }); ${start} s[Symbol.dispose]();`;
    await using child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });
    expect(await child.exited).toBe(0);
  });
});

test.skipIf(!root)("overflow is reported as a loss, and the source goes on", async () => {
  const knob = "/proc/sys/fs/fanotify/max_queued_events";
  const before = readFileSync(knob, "utf8");
  let rig: Rig;
  writeFileSync(knob, "8"); // a source keeps the limit that it was opened with
  try {
    rig = new Rig(tmpdir());
  } finally {
    writeFileSync(knob, before);
  }
  using _ = rig;
  rig.watch(rig.d, "directory", "d");
  rig.start();
  for (let i = 0; i < 100; i++) writeFileSync(`${rig.d}/${i}`, "");
  await rig.until(() => rig.lost.length > 0);
  expect(rig.lost).toEqual([undefined]);
  expect(rig.seen.length).toBeLessThan(100);
  await rig.settle();
  for (let i = 0; i < 100; i++) unlinkSync(`${rig.d}/${i}`);
  await rig.until(() => rig.lost.length > 1);
});

test.skipIf(!root)("many events are all reported, in order", async () => {
  using rig = new Rig(tmpdir());
  rig.watch(rig.d, "directory", "d");
  rig.start();
  const names = Array.from({ length: 3000 }, (_, i) => `${i}-${"x".repeat(i % 200)}`);
  for (const name of names) writeFileSync(`${rig.d}/${name}`, "");
  await rig.settle();
  expect(rig.lost).toEqual([]);
  expect(rig.seen.flatMap(({ event }) => event.entries.map(({ name }) => name))).toEqual(names);
  expect(new Set(rig.seen.map(({ actor }) => actor?.process.pid))).toEqual(new Set([process.pid]));
  rmSync(rig.d, { recursive: true });
});

test.skipIf(!root)("without CAP_SYS_ADMIN the error says what to do", async () => {
  const module = JSON.stringify(join(import.meta.dir, "../../../src/source/fanotify.ts"));
  const code = `import { openFanotify } from ${module}; try { openFanotify() } catch (e) { console.log(e.status, String(e)) }`;
  await using child = Bun.spawn(["setpriv", "--bounding-set=-sys_admin", process.execPath, "-e", code], {
    stdout: "pipe",
  });
  expect(await child.stdout.text()).toBe(
    "3 fanotify cannot be used: fanotify_init: EPERM; run as root, or give the process CAP_SYS_ADMIN (in the initial user namespace)\n",
  );
  expect(() => openFanotify()[Symbol.dispose]()).not.toThrow();
});
