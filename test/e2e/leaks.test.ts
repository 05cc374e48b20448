// Files that come and go leave nothing behind in the kernel, and memory as it was (what is left in it: test/unit/leaks.test.ts).
import { expect, test } from "bun:test";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { EACH_BACKEND, memoryOf, SLOW } from "./process.ts";
import { settlesAt, watched } from "./watched.ts";

/** At a time: fewer than fanotify's queue has room for. */
const FILES = 1000;
/** BPFINK_LEAK_ROUNDS=100 makes 100,000 of them; in a virtual machine that takes a quarter of an hour. */
const ROUNDS = Number(process.env["BPFINK_LEAK_ROUNDS"] ?? 2);
/** MiB that memory may grow by after the first round. */
const BOUND = 32;

test.if(EACH_BACKEND)(
  `${FILES} files are created and deleted, ${ROUNDS} times`,
  async () => {
    using directory = new TemporaryDirectory();
    const tree = directory.directory("tree");
    const nowhere = openSync("/dev/null", "w");
    await using bp = await Bpfink.start({ watch: [tree], args: ["--canary", "0"], stdout: nowhere });
    closeSync(nowhere);
    const empty = watched(bp.pid);
    let before = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const names = Array.from({ length: FILES }, (_, i) => `${tree}/${round}-${i}`);
      for (const name of names) writeFileSync(name, "x\n");
      expect(await settlesAt(bp.pid, empty + FILES)).toBe(empty + FILES);
      for (const name of names) rmSync(name);
      expect(await settlesAt(bp.pid, empty)).toBe(empty);
      if (round === 0) before = memoryOf(bp.pid);
    }
    expect(memoryOf(bp.pid)).toBeLessThan(before + BOUND);
  },
  ROUNDS * SLOW,
);
