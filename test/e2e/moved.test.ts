// A watched file, or a directory above it, is renamed: one line that says from where to where.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const at = (name: string) => directory.at(name);
let bp: Bpfink;

beforeAll(async () => {
  for (const name of ["out", "twice", "kept", "a", "gone", "named/a", "tree/top/x/f", "tree/top/g", "tree/over"]) {
    directory.write(name, `${name}\n`);
  }
  const watch = ["out", "twice", "kept", "a", "b", "gone", "named", "named/a", "tree"].map(at);
  bp = await Bpfink.start({ watch });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

test("a file that is moved out of sight: where to, who did it, and what went", async () => {
  await run("mv", at("out"), at("elsewhere"));
  expect(await bp.only(at("elsewhere"))).toMatchObject({
    action: "moved",
    message: "file moved",
    consumer: "diff",
    previous: at("out"),
    del: { Content: ["out"] },
    processName: "mv",
  });
  writeFileSync(at("elsewhere"), "nobody's\n");
  await bp.noMoreLines();
  writeFileSync(at("out"), "new\n");
  expect(await bp.only(at("out"))).toMatchObject({ action: "created", add: { Content: ["new"] } });
});

test("a file that is moved twice before bpfink looks went to the last place", async () => {
  {
    using _ = await bp.pause();
    renameSync(at("twice"), at("first-stop"));
    renameSync(at("first-stop"), at("last-stop"));
  }
  expect(await bp.only(at("last-stop"))).toMatchObject({ action: "moved", previous: at("twice") });
});

test("a file that is moved away and back has not moved", async () => {
  renameSync(at("kept"), at("kept.away"));
  renameSync(at("kept.away"), at("kept"));
  await bp.noMoreLines();
});

test("a file that is moved to a path that is waited for, and edited there", async () => {
  renameSync(at("a"), at("b"));
  const line = await bp.only(at("b"));
  expect(line).toMatchObject({ action: "moved", previous: at("a") });
  expect(line).not.toHaveProperty("del");
  appendFileSync(at("b"), "more\n");
  expect(await bp.only(at("b"))).toMatchObject({
    action: "modified",
    add: { Content: ["more"] },
    del: { Content: [] },
  });
});

test("a file that is moved away and leaves a successor was modified", async () => {
  renameSync(at("b"), at("b.old"));
  writeFileSync(at("b"), "successor\n");
  expect(await bp.only(at("b"))).toMatchObject({ action: "modified", add: { Content: ["successor"] } });
});

test("a file that is deleted is not said to have moved", async () => {
  unlinkSync(at("gone"));
  expect(await bp.only(at("gone"))).toMatchObject({ action: "deleted" });
});

test("a tree that is moved within the watched directory: a line for each path, and the watch goes along", async () => {
  mkdirSync(at("tree/new"));
  await bp.rest();
  renameSync(at("tree/top"), at("tree/new/top"));
  const moved = (await bp.rest()).map(({ action, file, previous }) => [action, previous, file]);
  const expected = ["", "/g", "/x", "/x/f"].map((name) => ["moved", at(`tree/top${name}`), at(`tree/new/top${name}`)]);
  expect(moved.sort()).toEqual(expected);
  appendFileSync(at("tree/new/top/x/f"), "more\n");
  expect(await bp.only(at("tree/new/top/x/f"))).toMatchObject({ action: "modified" });
});

test("a file that is moved over another: that one is modified", async () => {
  renameSync(at("tree/over"), at("tree/new/top/g"));
  const lines = (await bp.rest()).map(({ action, file }) => [action, file]);
  expect(lines.sort()).toEqual([
    ["modified", at("tree/new/top/g")],
    ["moved", at("tree/new/top/g")],
  ]);
});

test("a file that another consumer is for at its new path: moved, and created there", async () => {
  renameSync(at("named/a"), at("named/b"));
  const lines = (await bp.rest()).map(({ action, file, previous }) => [action, file, previous]);
  expect(lines.sort()).toEqual([
    ["created", at("named/b"), undefined],
    ["moved", at("named/b"), at("named/a")],
  ]);
});
