// Files that come and go leave nothing behind in the kernel. That nothing is left in memory: test/unit/leaks.test.ts.
import { expect, test } from "bun:test";
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { EACH_BACKEND, SLOW } from "./process.ts";
import { settlesAt, watched } from "./watched.ts";

/** At a time: fewer than fanotify's queue has room for. */
const FILES = 1000;
const ROUNDS = 2;

test.if(EACH_BACKEND)(
  `${FILES} files are created and deleted, ${ROUNDS} times`,
  async () => {
    using directory = new TemporaryDirectory();
    const tree = directory.directory("tree");
    const nowhere = openSync("/dev/null", "w");
    await using bp = await Bpfink.start({ watch: [tree], args: ["--canary", "0"], stdout: nowhere });
    closeSync(nowhere);
    const empty = watched(bp.pid);
    for (let round = 0; round < ROUNDS; round++) {
      const names = Array.from({ length: FILES }, (_, i) => `${tree}/${round}-${i}`);
      for (const name of names) writeFileSync(name, "x\n");
      expect(await settlesAt(bp.pid, empty + FILES)).toBe(empty + FILES);
      for (const name of names) rmSync(name);
      expect(await settlesAt(bp.pid, empty)).toBe(empty);
    }
  },
  2 * SLOW,
);
