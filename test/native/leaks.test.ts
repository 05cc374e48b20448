// Files that come and go leave nothing behind, neither in the kernel nor in memory.
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { settlesAt, watched } from "../e2e/watched.ts";

/** In all; with BPFINK_LEAK_FILES=100000 it takes minutes. */
const FILES = Number(process.env["BPFINK_LEAK_FILES"] ?? 30_000);
/** At a time: fewer than fanotify's queue has room for. */
const ROUND = 3000;
/**
 * MiB that memory may grow by between the third round and the last: it varies by some 10 with the
 * collector's mood. A file that is there takes some 400 bytes, so this finds what is left of one only if it
 * is more; that what is kept of watched files is used again, the unit tests of packed keys hold.
 */
const BOUND = 27 * (FILES / 30_000);

const memoryOf = (pid: number): number =>
  Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

test(`${FILES} files, ${ROUND} at a time, are created and deleted`, async () => {
  using directory = new TemporaryDirectory();
  const tree = directory.directory("tree");
  const nowhere = openSync("/dev/null", "w");
  await using bp = await Bpfink.start({ watch: [tree], args: ["--canary", "0"], stdout: nowhere });
  closeSync(nowhere);
  let before: number | undefined;
  const memory: number[] = [];
  for (let done = 0; done < FILES; done += ROUND) {
    const names = Array.from({ length: ROUND }, (_, i) => `${tree}/${done + i}`);
    const empty: number = (before ??= watched(bp.pid));
    for (const name of names) writeFileSync(name, "x\n");
    expect(await settlesAt(bp.pid, empty + ROUND)).toBe(empty + ROUND);
    for (const name of names) rmSync(name);
    expect(await settlesAt(bp.pid, empty)).toBe(empty);
    memory.push(memoryOf(bp.pid));
  }
  const growth = Math.min(...memory.slice(-3)) - Math.min(...memory.slice(2, 5));
  expect(growth, `MiB after each round: ${memory.map(Math.round).join(" ")}`).toBeLessThan(BOUND);
}, 600_000);
