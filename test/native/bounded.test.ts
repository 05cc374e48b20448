// 10,000 changes a second, and nobody reads stdout: memory is bounded, the watch goes on, and then every line comes.
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { digestOf, type Line } from "../e2e/line.ts";
import { Pipe } from "../e2e/pipe.ts";
import { memoryOf, SLOW } from "../e2e/process.ts";

const FILES = 100;
/** Changes in a millisecond, and for how many of them: BPFINK_FLOOD_SECONDS=600 takes ten minutes. */
const RATE = 10;
const SPAN = Number(process.env["BPFINK_FLOOD_SECONDS"] ?? 15) * 1000;
/** MiB that memory may grow by, as docs/architecture.md states. */
const BOUND = 64;

/** Writes the files in turn, each the next number, at the rate. Returns how many writes that were. */
async function flood(files: readonly string[], onPause: () => void): Promise<number> {
  const fds = files.map((file) => openSync(file, "r+"));
  const begin = performance.now();
  let count = 0;
  while (performance.now() < begin + SPAN) {
    for (const due = (performance.now() - begin) * RATE; count < due; count++) {
      writeSync(fds[count % FILES]!, String(count).padStart(9, "0"), 0);
    }
    onPause();
    await Bun.sleep(1);
  }
  fds.forEach(closeSync);
  return count;
}

test.each([
  ["a file", undefined],
  ["memory", ":memory:"],
])(
  "nobody reads for as long, with the database in %s",
  async (_where, database) => {
    using directory = new TemporaryDirectory();
    const files = Array.from({ length: FILES }, (_, i) => directory.write(`f${i}`, "000000000\n"));
    using pipe = new Pipe(directory.at("pipe"));
    await using bp = await Bpfink.start({
      watch: files,
      ...(database === undefined ? {} : { database }),
      stdout: pipe.writer,
    });
    const before = memoryOf(bp.pid);
    let most = before;
    const count = await flood(files, () => (most = Math.max(most, memoryOf(bp.pid))));
    expect(count).toBeGreaterThan(0.9 * RATE * SPAN);
    expect(most - before).toBeLessThan(BOUND);

    const finals = files.map((file) => `["${readFileSync(file, "utf8").trim()}"]`);
    const areAll = (lines: readonly string[]) => finals.every((final) => lines.some((line) => line.includes(final)));
    const texts = await pipe.readUntil(areAll, SLOW);
    await bp.stop();
    const lines = texts.map((text) => JSON.parse(text) as Line & Record<"add" | "del", { Content: string[] }>);
    lines.forEach(({ seq, prev, hash }, i) => {
      expect([seq, prev, hash]).toEqual([i + 1, lines[i - 1]?.hash ?? "0".repeat(64), digestOf(texts[i]!)]);
    });
    for (const file of files) {
      let content = "000000000";
      for (const { add, del } of lines.filter((line) => line.file === file)) {
        expect(del.Content).toEqual([content]);
        content = add.Content[0]!;
      }
      expect(content).toBe(readFileSync(file, "utf8").trim());
    }
  },
  SPAN + 3 * SLOW,
);
