// What can happen to the way to a file: names that come and go, links, directories that move, other types of file.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const watched: string[] = [];
let bp: Bpfink;

/** A path that is watched from the start; a file is there unless there is no content. */
function path(name: string, content?: string): string {
  const at = content === undefined ? directory.at(name) : directory.write(name, content);
  watched.push(at);
  return at;
}

function link(name: string, target: string): string {
  symlinkSync(target, directory.at(name));
  return path(name);
}

const paths = {
  removed: path("removed", "one\n"),
  recreated: path("recreated", "one\n"),
  awaited: path("awaited"),
  awaitedByRename: path("awaited-by-rename"),
  nested: path("a/b/c/f"),
  gradual: path("d/e/f"),
  ancestor: path("top/middle/f", "one\n"),
  twin: path("twin/f", "one\n"),
  type: path("type", "one\n"),
  fifo: path("fifo", "one\n"),
  target: link("target-edited", directory.write("target", "one\n")),
  swapped: link("swapped", directory.write("swap-1", "one\n")),
  chained: link("chained", "chain-2"),
  dangling: link("dangling", "not-yet"),
  way: directory.write("real-1/f", "one\n"),
  throughLink: "",
};
symlinkSync("chain-3", directory.at("chain-2"));
directory.write("chain-3", "one\n");
directory.write("real-2/f", "two\n");
symlinkSync("real-1", directory.at("way"));
paths.throughLink = path("way/f");

beforeAll(async () => {
  bp = await Bpfink.start({ watch: watched });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** What a line says of a text that appeared, went, or became another. */
const change = (action: string, file: string, del: readonly string[], add: readonly string[]) => ({
  action,
  origin: "live",
  consumer: "diff",
  file,
  del: { Content: del },
  add: { Content: add },
});

test("a file that is removed, and nothing more", async () => {
  unlinkSync(paths.removed);
  expect(await bp.only(paths.removed)).toMatchObject(change("deleted", paths.removed, ["one"], []));
});

test("a file that is removed and made again, and then edited", async () => {
  await run("rm", paths.recreated);
  expect(await bp.only(paths.recreated)).toMatchObject(change("deleted", paths.recreated, ["one"], []));
  writeFileSync(paths.recreated, "two\n");
  expect(await bp.only(paths.recreated)).toMatchObject(change("created", paths.recreated, [], ["two"]));
  writeFileSync(paths.recreated, "three\n");
  expect(await bp.only(paths.recreated)).toMatchObject(change("modified", paths.recreated, ["two"], ["three"]));
});

test("a file that did not exist at the start", async () => {
  writeFileSync(paths.awaited, "one\n");
  expect(await bp.only(paths.awaited)).toMatchObject(change("created", paths.awaited, [], ["one"]));
  renameSync(directory.write("awaited.tmp", "two\n"), paths.awaitedByRename);
  const line = await bp.only(paths.awaitedByRename);
  expect(line).toMatchObject(change("created", paths.awaitedByRename, [], ["two"]));
});

test("a file whose directories did not exist, all made at once", async () => {
  await run("sh", "-c", 'mkdir -p "$1" && echo one > "$1/f"', "sh", directory.at("a/b/c"));
  expect(await bp.only(paths.nested)).toMatchObject(change("created", paths.nested, [], ["one"]));
});

test("a file whose directories come one by one", async () => {
  mkdirSync(directory.at("d"));
  await bp.noMoreLines();
  mkdirSync(directory.at("d/e"));
  await bp.noMoreLines();
  writeFileSync(paths.gradual, "one\n");
  expect(await bp.only(paths.gradual)).toMatchObject(change("created", paths.gradual, [], ["one"]));
});

test("an ancestor that is renamed away and back", async () => {
  renameSync(directory.at("top"), directory.at("top.away"));
  const away = directory.at("top.away/middle/f");
  expect(await bp.only(away)).toMatchObject({
    ...change("moved", away, ["one"], []),
    previous: paths.ancestor,
  });
  writeFileSync(away, "two\n"); // it is not the file of this path now
  await bp.noMoreLines();
  renameSync(directory.at("top.away"), directory.at("top"));
  expect(await bp.only(paths.ancestor)).toMatchObject(change("created", paths.ancestor, [], ["two"]));
  writeFileSync(paths.ancestor, "three\n");
  expect(await bp.only(paths.ancestor)).toMatchObject(change("modified", paths.ancestor, ["two"], ["three"]));
});

test("a directory that is removed with all in it and comes back with another content", async () => {
  rmSync(directory.at("twin"), { recursive: true });
  expect(await bp.only(paths.twin)).toMatchObject(change("deleted", paths.twin, ["one"], []));
  directory.write("twin.new/f", "two\n");
  renameSync(directory.at("twin.new"), directory.at("twin"));
  expect(await bp.only(paths.twin)).toMatchObject(change("created", paths.twin, [], ["two"]));
});

test("the target of a symbolic link is edited", async () => {
  writeFileSync(directory.at("target"), "two\n");
  expect(await bp.only(paths.target)).toMatchObject(change("modified", paths.target, ["one"], ["two"]));
  renameSync(directory.write("target.tmp", "three\n"), directory.at("target"));
  expect(await bp.only(paths.target)).toMatchObject(change("modified", paths.target, ["two"], ["three"]));
});

test("a symbolic link is pointed elsewhere, and the new target edited", async () => {
  directory.write("swap-2", "two\n");
  symlinkSync("swap-2", directory.at("swapped.tmp"));
  renameSync(directory.at("swapped.tmp"), paths.swapped);
  expect(await bp.only(paths.swapped)).toMatchObject(change("modified", paths.swapped, ["one"], ["two"]));
  writeFileSync(directory.at("swap-1"), "not watched any more\n");
  await bp.noMoreLines();
  writeFileSync(directory.at("swap-2"), "three\n");
  expect(await bp.only(paths.swapped)).toMatchObject(change("modified", paths.swapped, ["two"], ["three"]));
});

test("a link in the middle of a chain of links is pointed elsewhere", async () => {
  directory.write("chain-4", "two\n");
  symlinkSync("chain-4", directory.at("chain.tmp"));
  renameSync(directory.at("chain.tmp"), directory.at("chain-2"));
  expect(await bp.only(paths.chained)).toMatchObject(change("modified", paths.chained, ["one"], ["two"]));
});

test("a link that led nowhere", async () => {
  writeFileSync(directory.at("not-yet"), "one\n");
  expect(await bp.only(paths.dangling)).toMatchObject(change("created", paths.dangling, [], ["one"]));
});

test("a directory on the way is a link that is pointed elsewhere", async () => {
  symlinkSync("real-2", directory.at("way.tmp"));
  renameSync(directory.at("way.tmp"), directory.at("way"));
  expect(await bp.only(paths.throughLink)).toMatchObject(change("modified", paths.throughLink, ["one"], ["two"]));
});

test("a file gives way to a directory, and comes back", async () => {
  unlinkSync(paths.type);
  expect(await bp.only(paths.type)).toMatchObject(change("deleted", paths.type, ["one"], []));
  mkdirSync(paths.type);
  expect(await bp.only(paths.type)).toMatchObject({ action: "created", generic: { type: "directory" } });
  rmdirSync(paths.type);
  expect(await bp.only(paths.type)).toMatchObject({ action: "deleted", generic: { type: "directory" } });
  writeFileSync(paths.type, "two\n");
  expect(await bp.only(paths.type)).toMatchObject(change("created", paths.type, [], ["two"]));
});

test("a FIFO takes a file's place in one step, and a file the FIFO's", async () => {
  await run("mkfifo", directory.at("fifo.tmp"));
  renameSync(directory.at("fifo.tmp"), paths.fifo);
  const line = await bp.only(paths.fifo);
  expect(line).toMatchObject({
    action: "modified",
    consumer: "generic",
    generic: { type: { from: "file", to: "fifo" } },
  });
  renameSync(directory.write("fifo.tmp", "two\n"), paths.fifo);
  expect(await bp.only(paths.fifo)).toMatchObject({
    action: "modified",
    generic: { type: { from: "fifo", to: "file" } },
  });
});
