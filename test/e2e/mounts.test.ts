// Something is mounted over a watched file, over a directory on its way, over a watched tree; and unmounted again.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { end, run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const at = (name: string) => directory.at(name);
const mounted: string[] = [];
let bp: Bpfink;
/** Whether fanotify tells of mounts: from Linux 6.15 on. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const isTold = major * 100 + minor >= 615;
/** What a line says of who did it. */
const by = (name: string) => (isTold || String(bp.lines[0]?.backend).startsWith("ebpf") ? { process: { name } } : {});

async function mount(...args: string[]): Promise<void> {
  await run("mount", ...args);
  mounted.push(args.at(-1)!);
}

/** Tries again while bpfink has a file open there, which it still may after it told of it: umount(2), EBUSY. */
async function umount(): Promise<void> {
  const point = mounted.pop();
  if (point === undefined) return;
  for (;;) {
    const { status, stderr } = await end(["umount", point]);
    if (status === 0) return;
    if (!stderr.includes("target is busy")) throw new Error(stderr);
    await Bun.sleep(10);
  }
}

beforeAll(async () => {
  for (const name of ["file", "way/on/file", "tree/a", "tree/b", "other/way/on/file", "other/tree/a", "other/file"]) {
    directory.write(name, `${name}\n`);
  }
  for (const name of ["usb", "elsewhere", "same"]) mkdirSync(at(name));
  directory.write("same/file", "same\n");
  bp = await Bpfink.start({ watch: ["file", "way/on/file", "tree", "usb/file", "same/file"].map(at) });
}, SLOW);
beforeEach(() => bp.forget());
afterEach(async () => {
  while (mounted.length > 0) await umount();
});
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

test("a file over a file: covered, the difference of what is seen, edits of it, uncovered", async () => {
  await mount("--bind", at("other/file"), at("file"));
  expect(await bp.nextChange(at("file"))).toMatchObject({
    action: "covered",
    origin: "live",
    message: "file covered by a mount",
    add: { Content: ["other/file"] },
    del: { Content: ["file"] },
    mount: { point: at("file") },
    ...by("mount"),
  });
  appendFileSync(at("other/file"), "more\n");
  expect(await bp.nextChange(at("file"))).toMatchObject({ action: "modified", add: { Content: ["more"] } });
  await umount();
  expect(await bp.only(at("file"))).toMatchObject({
    action: "uncovered",
    add: { Content: ["file"] },
    del: { Content: ["other/file", "more"] },
    ...by("umount"),
  });
  writeFileSync(at("file"), "edited\n");
  expect(await bp.only(at("file"))).toMatchObject({ action: "modified", add: { Content: ["edited"] } });
});

test("an empty file system over a directory on the way hides the file", async () => {
  await mount("-t", "tmpfs", "none", at("way"));
  expect(await bp.nextChange(at("way/on/file"))).toMatchObject({
    action: "covered",
    del: { Content: ["way/on/file"] },
    mount: { point: at("way"), type: "tmpfs" },
    ...by("mount"),
  });
  await umount();
  expect(await bp.only(at("way/on/file"))).toMatchObject({ action: "uncovered", add: { Content: ["way/on/file"] } });
});

test("a directory over a watched tree", async () => {
  await mount("--bind", at("other/tree"), at("tree"));
  const first = await bp.nextChange(at("tree"));
  expect(first).toMatchObject({ action: "covered", mount: { point: at("tree") } });
  const members = async () => (await bp.rest()).sort((a, b) => (String(a.file) < String(b.file) ? -1 : 1));
  const told = (action: string, program: string) =>
    ["tree/a", "tree/b"].map((name) => ({ action, file: at(name), ...by(program) }));
  expect(await members()).toMatchObject(told("covered", "mount"));
  await umount();
  await bp.nextChange(at("tree"));
  expect(await members()).toMatchObject(told("uncovered", "umount"));
});

test("a file system with the file on it comes and goes: created, deleted", async () => {
  await mount("-t", "tmpfs", "none", at("usb"));
  writeFileSync(at("usb/file"), "usb\n");
  expect(await bp.nextChange(at("usb/file"))).toMatchObject({ action: "created" });
  await umount();
  expect(await bp.only(at("usb/file"))).toMatchObject({ action: "deleted", del: { Content: ["usb"] } });
});

test("a mount of the same over itself, elsewhere, or in another mount namespace, is nothing to us", async () => {
  await mount("--bind", at("same"), at("same"));
  await mount("-t", "tmpfs", "none", at("elsewhere"));
  await run("unshare", "-m", "--propagation", "private", "mount", "--bind", at("other/file"), at("file"));
  appendFileSync(at("same/file"), "more\n");
  expect(await bp.only(at("same/file"))).toMatchObject({ action: "modified", add: { Content: ["more"] } });
});

test("two mounts at once, by two programs: each is said to be whose it is", async () => {
  // a program's name is its file's
  const other = directory.write("other-mount", await Bun.file(realpathSync(Bun.which("mount")!)).bytes(), 0o755);
  const [first, second] = [at("file"), at("way")];
  await Promise.all([run("mount", "--bind", at("other/file"), first), run(other, "--bind", at("other/way"), second)]);
  mounted.push(first, second);
  const lines = await Promise.all([bp.nextChange(at("file")), bp.nextChange(at("way/on/file"))]);
  expect(lines).toMatchObject([
    { action: "covered", ...by("mount") },
    { action: "covered", ...by("other-mount") },
  ]);
  // not even who mounted at the same path some seconds ago in another namespace, in the test before
  for (const line of lines) expect(line).not.toHaveProperty("actors");
});
