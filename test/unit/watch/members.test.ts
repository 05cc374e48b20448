import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { membersOf } from "../../../src/watch/members.ts";

test("the names in a directory, and none once it is gone", () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-members-"));
  try {
    for (const name of ["b", "a", ".hidden"]) writeFileSync(join(directory, name), "");
    expect(membersOf(directory).sort()).toEqual([".hidden", "a", "b"]);
    expect(membersOf(join(directory, "a"))).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
  expect(membersOf(directory)).toEqual([]);
});

test("none in file systems that show the kernel: /proc/kcore never ends", () => {
  expect(["/proc", "/proc/sys", "/sys", "/dev/pts"].map(membersOf)).toEqual([[], [], [], []]);
});
