// Everything that changes a file's content or attributes, under one bpfink, each test with a file of its own.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { run, SLOW } from "./process.ts";

const directory = new TemporaryDirectory();
const TEXT = "one\ntwo\nthree\n";
const watched: string[] = [];
let bp: Bpfink;

/** A file that is watched from the start. */
function file(name: string, content: string | Uint8Array = TEXT): string {
  const path = directory.write(name, content);
  watched.push(path);
  return path;
}

const files = {
  middle: file("middle"),
  open: file("open"),
  append: file("append"),
  cut: file("cut"),
  emptied: file("emptied"),
  sed: file("sed"),
  swap: file("swap"),
  backup: file("backup"),
  mv: file("mv"),
  cp: file("cp"),
  same: file("same"),
  sameByRename: file("same-by-rename"),
  touched: file("touched"),
  linked: file("linked"),
  mode: file("mode"),
  owner: file("owner"),
  both: file("content-and-mode"),
  first: file("first"),
  second: file("second"),
  binary: file("binary", new Uint8Array([0, 1, 2])),
  big: file("big", "x".repeat(5 << 20)),
  empty: file("empty", ""),
  latin: file("latin", new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x0a])),
  unended: file("unended", "one"),
};

beforeAll(async () => {
  bp = await Bpfink.start({ watch: watched });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** What a line says of a text that changed. */
const modified = (path: string, del: readonly string[], add: readonly string[]) => ({
  action: "modified",
  origin: "live",
  consumer: "diff",
  message: "text file modified",
  file: path,
  add: { Content: add },
  del: { Content: del },
});

test("a write in the middle of a file", async () => {
  const fd = openSync(files.middle, "r+");
  writeSync(fd, "TWO", 4);
  closeSync(fd);
  const line = await bp.only(files.middle);
  expect(line).toMatchObject(modified(files.middle, ["two"], ["TWO"]));
  expect(line["diff"]).toBe(`--- ${files.middle}\n+++ ${files.middle}\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n`);
});

test("a write is seen while its writer keeps the file open, and told once", async () => {
  const fd = openSync(files.open, "a");
  try {
    writeSync(fd, "four\n");
    fsyncSync(fd);
    expect(await bp.only(files.open)).toMatchObject(modified(files.open, [], ["four"]));
  } finally {
    closeSync(fd);
  }
  await bp.noMoreLines();
});

test("an append", async () => {
  appendFileSync(files.append, "four\n");
  expect(await bp.only(files.append)).toMatchObject(modified(files.append, [], ["four"]));
});

test("truncate(2) to a length and to nothing", async () => {
  truncateSync(files.cut, 4);
  expect(await bp.only(files.cut)).toMatchObject(modified(files.cut, ["two", "three"], []));
  closeSync(openSync(files.emptied, "w"));
  expect(await bp.only(files.emptied)).toMatchObject(modified(files.emptied, ["one", "two", "three"], []));
});

test("a last line without a newline", async () => {
  appendFileSync(files.unended, "\n");
  const line = await bp.only(files.unended);
  expect(line).toMatchObject(modified(files.unended, ["one"], ["one"]));
  expect(line["diff"]).toContain("\\ No newline at end of file");
});

test("sed -i", async () => {
  await run("sed", "-i", "s/two/2/", files.sed);
  expect(await bp.only(files.sed)).toMatchObject(modified(files.sed, ["two"], ["2"]));
});

test("a save by temporary file and rename is one modification", async () => {
  const temporary = directory.write("swap.tmp", "one\nthree\n");
  renameSync(temporary, files.swap);
  expect(await bp.only(files.swap)).toMatchObject(modified(files.swap, ["two"], []));
});

test("an editor that moves the old version away first makes one modification", async () => {
  renameSync(files.backup, `${files.backup}~`);
  writeFileSync(files.backup, "one\n2\nthree\n");
  unlinkSync(`${files.backup}~`);
  expect(await bp.only(files.backup)).toMatchObject(modified(files.backup, ["two"], ["2"]));
});

test("mv and cp over a file", async () => {
  await run("mv", directory.write("mv.new", "one\n"), files.mv);
  expect(await bp.only(files.mv)).toMatchObject(modified(files.mv, ["two", "three"], []));
  await run("cp", directory.write("cp.new", "three\n"), files.cp);
  expect(await bp.only(files.cp)).toMatchObject(modified(files.cp, ["one", "two"], []));
});

test("the same content again, in place, by rename and by touch, is no change", async () => {
  writeFileSync(files.same, TEXT);
  renameSync(directory.write("same.tmp", TEXT), files.sameByRename);
  utimesSync(files.touched, 1, 1);
  await bp.noMoreLines();
});

test("a write through another name of the same inode", async () => {
  const other = directory.at("other-name");
  linkSync(files.linked, other);
  appendFileSync(other, "four\n");
  expect(await bp.only(files.linked)).toMatchObject(modified(files.linked, [], ["four"]));
});

test("chmod", async () => {
  chmodSync(files.mode, 0o4755);
  const line = await bp.only(files.mode);
  expect(line).toMatchObject({ action: "attributes", attributes: { mode: { from: "0644", to: "4755" } } });
  expect(line).not.toHaveProperty("diff");
});

test("chown", async () => {
  chownSync(files.owner, 65534, 12345);
  expect(await bp.only(files.owner)).toMatchObject({
    action: "attributes",
    attributes: { uid: { from: 0, to: 65534 }, gid: { from: 0, to: 12345 } },
  });
});

test("content and mode changed by one rename are one line", async () => {
  const temporary = directory.write("both.tmp", "one\n", 0o600);
  renameSync(temporary, files.both);
  expect(await bp.only(files.both)).toMatchObject({
    ...modified(files.both, ["two", "three"], []),
    attributes: { mode: { from: "0644", to: "0600" } },
  });
});

test("two files at once", async () => {
  await Promise.all([run("sed", "-i", "1d", files.first), run("sed", "-i", "2d", files.second)]);
  expect(await bp.nextChange(files.first)).toMatchObject(modified(files.first, ["one"], []));
  expect(await bp.only(files.second)).toMatchObject(modified(files.second, ["two"], []));
});

const sha256 = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");

test("a binary file is hashed", async () => {
  const content = new Uint8Array([0, 1, 2, 3]);
  writeFileSync(files.binary, content);
  const line = await bp.only(files.binary);
  expect(line).toMatchObject({ action: "modified", consumer: "generic", generic: { next: sha256(content) } });
  expect(line["generic"]).toMatchObject({ current: sha256(content.slice(0, 3)), size: { from: 3, to: 4 } });
  expect(line).not.toHaveProperty("diff");
});

test("a change in the last byte of 5 MiB", async () => {
  const content = `${"x".repeat((5 << 20) - 1)}y`;
  const fd = openSync(files.big, "r+");
  writeSync(fd, "y", content.length - 1);
  closeSync(fd);
  expect(await bp.only(files.big)).toMatchObject({
    action: "modified",
    consumer: "generic",
    generic: { current: sha256("x".repeat(5 << 20)), next: sha256(content), size: 5 << 20 },
  });
});

test("an empty file that gets a content and loses it", async () => {
  writeFileSync(files.empty, "one\n");
  expect(await bp.only(files.empty)).toMatchObject(modified(files.empty, [], ["one"]));
  truncateSync(files.empty, 0);
  expect(await bp.only(files.empty)).toMatchObject(modified(files.empty, ["one"], []));
});

test("bytes that are no UTF-8 are told apart", async () => {
  writeFileSync(files.latin, new Uint8Array([0x63, 0x61, 0x66, 0xe8, 0x0a]));
  expect(await bp.only(files.latin)).toMatchObject(modified(files.latin, ["caf\\xe9"], ["caf\\xe8"]));
});

test("looking at a file, and opening it for writing without doing so, is no change", async () => {
  await run("cat", files.middle);
  closeSync(openSync(files.middle, "r+"));
  await bp.noMoreLines();
});
