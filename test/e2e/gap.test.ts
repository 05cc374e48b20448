// Events that are lost while bpfink does not run are said to be lost, and what they were of is found.
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, SLOW } from "./process.ts";

/** The length that fanotify's queue has when it is opened. */
const QUEUE = "/proc/sys/fs/fanotify/max_queued_events";
const FILES = 60;
/** Saves that overflow the ring of 4 MiB as well as the queue of 32 events. */
const ROUNDS = 40;

test(
  "a bpfink that is stopped under load says what it lost, and reports the last state of every file",
  async () => {
    using directory = new TemporaryDirectory();
    const names = Array.from({ length: FILES }, (_, i) => `tree/${i}`);
    const late = directory.write("tree/late", "before\n");
    for (const name of names) directory.write(name, "before\n");
    const queue = readFileSync(QUEUE, "utf8");
    writeFileSync(QUEUE, "32");
    try {
      await using bp = await Bpfink.start({ watch: [`${directory.path}/tree/*`] });
      const stopped = new Date(Date.now() + 1).toISOString(); // since may be a moment before the signal came
      bp.kill("SIGSTOP");
      for (let round = 1; round <= ROUNDS; round++) {
        for (const name of names) writeFileSync(directory.at(name), `round ${round}\n`);
      }
      writeFileSync(late, "after\n"); // of which no event finds room
      const continued = new Date().toISOString();
      bp.kill("SIGCONT");
      const gap = await bp.line({ action: "gap" });
      expect(gap).toMatchObject({ level: "error", message: "events lost, looking at everything" });
      // lost while it was stopped, and noticed when it went on
      expect(String(gap["since"]) < stopped && String(gap["until"]) > continued).toBe(true);
      // the ring counts what it has no room for, fanotify does not
      if (inVm) expect(gap["lost"]).toBeGreaterThan(0);
      // looking at everything goes on after that line, and lets other lines go before its own
      const found = await bp.line({ file: late });
      expect(found).toMatchObject({ action: "modified", origin: "gap", add: { Content: ["after"] } });
      expect(found).not.toHaveProperty("process");
      const changes = (await bp.rest()).filter(({ action }) => action !== "gap"); // it may be noticed in two parts
      const last = new Map(changes.map((line) => [line.file, line.add]));
      const expected = names.map((name) => [directory.at(name), { Content: [`round ${ROUNDS}`] }] as const);
      expect(last).toEqual(new Map(expected));
    } finally {
      writeFileSync(QUEUE, queue);
    }
  },
  SLOW,
);
