// The disk of the database is full: nothing is lost, and all goes on once there is room.
import { expect, test } from "bun:test";
import { closeSync, openSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

/** Writes a file until there is no room. */
function fill(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (const size of [4096, 1]) {
      try {
        for (;;) writeSync(fd, "x".repeat(size));
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" });
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Watches a file with the database on a disk that is full, until `makeRoom` is called. */
async function onFullDisk(then: (bp: Bpfink, file: string, makeRoom: () => void) => Promise<void>): Promise<void> {
  using directory = new TemporaryDirectory();
  const file = directory.write("f", "one\n");
  const disk = directory.directory("disk");
  await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
  try {
    await using bp = await Bpfink.start({ watch: [file], database: `${disk}/db` });
    fill(`${disk}/fill`);
    await then(bp, file, () => unlinkSync(`${disk}/fill`));
  } finally {
    await run("umount", disk);
  }
}

test(
  "a change that cannot be recorded is said on stderr, and comes as a line when there is room again",
  () =>
    onFullDisk(async (bp, file, makeRoom) => {
      const text = `${crypto.randomUUID()}\n`.repeat(500);
      writeFileSync(file, text);
      // both looks, the one at once and the one when quiet, so that only the one 5 s later is left
      await bp.stderr(
        /(?:^bpfink: error: cannot look at .*: state database .* the disk is full .*; make room[^]*){2}/m,
      );
      expect(bp.lines.map(({ action }) => action)).toEqual(["started"]);
      makeRoom();
      const line = await bp.only(file);
      expect({ ...line, diff: undefined }).toMatchObject({ action: "modified", origin: expect.any(String) });
      // where events were lost meanwhile, it is the rescan that finds the change
      if (!bp.lines.some(({ action }) => action === "gap"))
        expect({ ...line, diff: undefined }).toMatchObject({ origin: "live", process: { pid: process.pid } });
      expect((await bp.stop()).status).toBe(0);
    }),
  SLOW,
);

test(
  "a change that waits for room is told at the end, with who did it",
  () =>
    onFullDisk(async (bp, file, makeRoom) => {
      writeFileSync(file, `${crypto.randomUUID()}\n`.repeat(500));
      await bp.stderr(/(?:^bpfink: error: cannot look at [^]*){2}/m);
      makeRoom();
      expect((await bp.stop()).status).toBe(0);
      expect({ ...(await bp.nextChange(file)), diff: undefined }).toMatchObject({
        action: "modified",
        origin: "live",
        process: { pid: process.pid },
      });
    }),
  SLOW,
);
