// A watched directory and globs: what is below them comes, changes, moves and goes.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import type { Line } from "./line.ts";
import { run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const sha256 = (content: string) => new Bun.CryptoHasher("sha256").update(content).digest("hex");
const ONE = sha256("one\n");
const TWO = sha256("two\n");
let bp: Bpfink;

beforeAll(async () => {
  for (const name of ["deep/er/f", "gone/a/f", "gone/g", "old", "cut", "skip.log", "out/side/f"]) {
    directory.write(`tree/${name}`, "one\n");
  }
  for (const name of ["a.conf", "b.txt", "sub/c.conf"]) directory.write(`glob/${name}`, "one\n");
  directory.directory("glob/later/x");
  directory.write("stars/f.key", "one\n");
  const watch = ["tree", "glob/*.conf", "glob/*/x/*.conf", "stars/**/*.key", "not/yet"];
  const exclude = ["tree/*.log", "tree/**/cache", "stars/private"].flatMap((name) => ["--exclude", directory.at(name)]);
  bp = await Bpfink.start({ watch: watch.map((name) => directory.at(name)), args: exclude });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/**
 * What the lines say, sorted: what happened to each path. A new file that bpfink met between its
 * creation and its first write was empty, and is modified in the next line: that is one creation here.
 */
function told(lines: readonly Line[]): string[] {
  const isFirstWrite = ({ file, action, generic, del }: Line) =>
    action === "modified" &&
    (Bun.deepMatch({ size: { from: 0 } }, generic ?? {}) || Bun.deepEquals(del, { Content: [] })) &&
    lines.some((other) => other.file === file && other.action === "created");
  return lines
    .filter((line) => !isFirstWrite(line))
    .map(({ action, file }) => `${action} ${file?.slice(directory.path.length + 1)}`)
    .sort();
}

test("a file that was there is edited", async () => {
  appendFileSync(directory.at("tree/deep/er/f"), "two\n");
  const line = await bp.only(directory.at("tree/deep/er/f"));
  expect(line).toMatchObject({
    action: "modified",
    consumer: "generic",
    generic: { current: ONE, next: sha256("one\ntwo\n") },
  });
  expect(line).not.toHaveProperty("diff"); // what a directory holds is hashed, not shown
});

test("a new file is created, then modified, then deleted, then new again", async () => {
  const file = directory.at("tree/new");
  writeFileSync(file, "one\n");
  expect(await bp.only(file)).toMatchObject({ action: "created", generic: { current: "", next: ONE } });
  writeFileSync(file, "two\n");
  expect(await bp.only(file)).toMatchObject({ action: "modified", generic: { current: ONE, next: TWO } });
  unlinkSync(file);
  expect(await bp.only(file)).toMatchObject({ action: "deleted", generic: { current: TWO, next: "" } });
  writeFileSync(file, "three\n");
  expect(await bp.only(file)).toMatchObject({ action: "created", generic: { next: sha256("three\n") } });
});

test("directories and files in them, all made at once", async () => {
  await run(
    "sh",
    "-c",
    'mkdir -p "$1/a/b" && echo x > "$1/a/b/f" && echo y > "$1/a/g"',
    "sh",
    directory.at("tree/made"),
  );
  expect(told(await bp.rest())).toEqual(
    ["made", "made/a", "made/a/b", "made/a/b/f", "made/a/g"].map((name) => `created tree/${name}`),
  );
  appendFileSync(directory.at("tree/made/a/b/f"), "z\n");
  expect(await bp.only(directory.at("tree/made/a/b/f"))).toMatchObject({ action: "modified" });
});

test("rm -r of a tree deletes everything in it", async () => {
  await run("rm", "-r", directory.at("tree/gone"));
  expect(told(await bp.rest())).toEqual(["gone", "gone/a", "gone/a/f", "gone/g"].map((name) => `deleted tree/${name}`));
});

test("a rename inside is one line with both names", async () => {
  renameSync(directory.at("tree/old"), directory.at("tree/renamed"));
  const line = await bp.only(directory.at("tree/renamed"));
  expect(line).toMatchObject({ action: "moved", previous: directory.at("tree/old"), process: { pid: process.pid } });
  expect(line).not.toHaveProperty("generic"); // it is the same file
  appendFileSync(directory.at("tree/renamed"), "two\n");
  expect(await bp.only(directory.at("tree/renamed"))).toMatchObject({
    action: "modified",
    generic: { current: ONE, next: sha256("one\ntwo\n") },
  });
});

test("a tree that is moved in, is edited, and is moved out", async () => {
  directory.write("moving/a/f", "one\n");
  renameSync(directory.at("moving"), directory.at("tree/moved"));
  expect(told(await bp.rest())).toEqual(["moved", "moved/a", "moved/a/f"].map((name) => `created tree/${name}`));
  appendFileSync(directory.at("tree/moved/a/f"), "two\n");
  expect(await bp.only(directory.at("tree/moved/a/f"))).toMatchObject({ action: "modified" });
  renameSync(directory.at("tree/moved"), directory.at("moving"));
  const out = await bp.rest();
  expect(told(out)).toEqual(["moving", "moving/a", "moving/a/f"].map((name) => `moved ${name}`));
  expect(out.map(({ previous }) => previous).sort()).toEqual(
    ["moved", "moved/a", "moved/a/f"].map((name) => directory.at(`tree/${name}`)),
  );
  appendFileSync(directory.at("moving/a/f"), "three\n");
  await bp.noMoreLines();
});

test("a tree that is moved out and back within a moment, changed meanwhile", async () => {
  renameSync(directory.at("tree/out"), directory.at("out"));
  writeFileSync(directory.at("out/side/f"), "two\n");
  renameSync(directory.at("out"), directory.at("tree/out"));
  const last = (await bp.rest()).filter(({ file }) => file === directory.at("tree/out/side/f")).at(-1);
  expect(last).toMatchObject({ generic: { next: TWO } });
});

test("attributes of a directory below", async () => {
  chmodSync(directory.at("tree/deep"), 0o700);
  expect(await bp.only(directory.at("tree/deep"))).toMatchObject({
    action: "attributes",
    attributes: { mode: { from: "0755", to: "0700" } },
  });
});

test("what is excluded is not told, nor what is below it", async () => {
  appendFileSync(directory.at("tree/skip.log"), "two\n");
  writeFileSync(directory.at("tree/new.log"), "one\n");
  directory.write("tree/deep/er/cache/x/f", "one\n");
  await bp.noMoreLines();
  writeFileSync(directory.at("tree/log.txt"), "one\n");
  expect(await bp.only(directory.at("tree/log.txt"))).toMatchObject({ action: "created" });
});

test("a glob watches what matches, and what comes to match", async () => {
  appendFileSync(directory.at("glob/a.conf"), "two\n");
  expect(await bp.only(directory.at("glob/a.conf"))).toMatchObject({ action: "modified" });
  appendFileSync(directory.at("glob/b.txt"), "two\n");
  appendFileSync(directory.at("glob/sub/c.conf"), "two\n");
  await bp.noMoreLines();
  writeFileSync(directory.at("glob/d.conf"), "one\n");
  expect(await bp.only(directory.at("glob/d.conf"))).toMatchObject({ action: "created" });
  renameSync(directory.at("glob/b.txt"), directory.at("glob/b.conf"));
  expect(await bp.only(directory.at("glob/b.conf"))).toMatchObject({ action: "created" });
  renameSync(directory.at("glob/b.conf"), directory.at("glob/b.txt"));
  expect(await bp.only(directory.at("glob/b.txt"))).toMatchObject({
    action: "moved",
    previous: directory.at("glob/b.conf"),
    add: { Content: [] },
    del: { Content: ["one", "two"] }, // it is out of sight
  });
});

test("a glob with a directory in its middle", async () => {
  writeFileSync(directory.at("glob/later/x/f.conf"), "one\n");
  expect(await bp.only(directory.at("glob/later/x/f.conf"))).toMatchObject({ action: "created" });
  directory.write("glob/newer/x/f.conf", "one\n");
  directory.write("glob/newer/y/f.conf", "one\n");
  expect(told(await bp.rest())).toEqual(["created glob/newer/x/f.conf"]);
});

test("a glob through all depths, but for what is excluded", async () => {
  directory.write("stars/a/b/g.key", "one\n");
  directory.write("stars/private/h.key", "one\n");
  directory.write("stars/a/b/g.txt", "one\n");
  expect(told(await bp.rest())).toEqual(["created stars/a/b/g.key"]);
  rmSync(directory.at("stars"), { recursive: true });
  expect(told(await bp.rest())).toEqual(["deleted stars/a/b/g.key", "deleted stars/f.key"]);
});

test("a watched directory that comes later", async () => {
  mkdirSync(directory.at("not"));
  await bp.noMoreLines();
  directory.write("not/yet/f", "one\n");
  expect(told(await bp.rest())).toEqual(["created not/yet", "created not/yet/f"]);
});
