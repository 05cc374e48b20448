import { afterAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBelow } from "../../../src/watch/read.ts";

const root = mkdtempSync(join(tmpdir(), "bpfink-read-"));
const at = (name: string) => join(root, name);

afterAll(() => rmSync(root, { recursive: true }));

test("up to the limit, and not a byte of what is longer: 8 TiB hold nothing up", () => {
  writeFileSync(at("just"), "12345");
  writeFileSync(at("long"), "123456");
  writeFileSync(at("huge"), "");
  truncateSync(at("huge"), 2 ** 43);
  const begin = performance.now();
  const read = (name: string) => readBelow(root, `/${name}`, 5);
  expect(["just", "long", "huge"].map(read)).toEqual([Buffer.from("12345"), undefined, undefined]);
  expect(performance.now() - begin).toBeLessThan(1000);
});

test("what is no file, or leads nowhere, is none", () => {
  execFileSync("mkfifo", [at("fifo")]);
  symlinkSync("loop", at("loop"));
  symlinkSync("/just", at("link")); // below the root
  const read = (name: string) => readBelow(root, `/${name}`, 5);
  expect(["", "fifo", "loop", "none"].map(read)).toEqual([undefined, undefined, undefined, undefined]);
  expect(read("link")).toEqual(Buffer.from("12345"));
});
