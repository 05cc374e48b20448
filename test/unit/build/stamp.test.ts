import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestFiles, isFresh, listFiles } from "../../../build/stamp.mjs";

/** A tree of files that goes away by itself. */
function temporaryTree(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "bpfink-stamp-"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

test("lists files of directories, sorted, and leaves out what does not exist", () => {
  using tree = temporaryTree({ "src/b/c.ts": "", "src/a.ts": "", "package.json": "", "other.ts": "" });
  expect(listFiles(tree.root, ["src", "package.json", "absent"])).toEqual(["package.json", "src/a.ts", "src/b/c.ts"]);
});

test("a digest follows names and contents, not times", () => {
  using tree = temporaryTree({ "src/a.ts": "one", "src/b.ts": "two" });
  const before = digestFiles(tree.root, ["src"]);
  utimesSync(join(tree.root, "src/a.ts"), 1, 1);
  expect(digestFiles(tree.root, ["src"])).toBe(before);

  writeFileSync(join(tree.root, "src/a.ts"), "ONE");
  expect(digestFiles(tree.root, ["src"])).not.toBe(before);

  writeFileSync(join(tree.root, "src/a.ts"), "one");
  writeFileSync(join(tree.root, "src/c.ts"), "");
  expect(digestFiles(tree.root, ["src"])).not.toBe(before);
});

test("moving bytes from one file to the next changes the digest", () => {
  using first = temporaryTree({ "src/a": "12", "src/b": "3" });
  using second = temporaryTree({ "src/a": "1", "src/b": "23" });
  expect(digestFiles(first.root, ["src"])).not.toBe(digestFiles(second.root, ["src"]));
});

test("an output is fresh if made from the same inputs and left alone since", () => {
  const stamps = { "bpfink.bpf.o": { inputs: "abc", size: 10 } };
  expect(isFresh(stamps, "bpfink.bpf.o", "abc", 10)).toBe(true);
  expect(isFresh(stamps, "bpfink.bpf.o", "abd", 10)).toBe(false);
  expect(isFresh(stamps, "bpfink.bpf.o", "abc", 9)).toBe(false);
  expect(isFresh(stamps, "bpfink.bpf.o", "abc", undefined)).toBe(false);
  expect(isFresh(stamps, "libbpf.so", "abc", 10)).toBe(false);
});
