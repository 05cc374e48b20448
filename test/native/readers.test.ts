// What becomes of the lines when stdout's reader pauses, never reads, or goes away.
import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import type { Line } from "../e2e/line.ts";
import { Pipe } from "../e2e/pipe.ts";
import { SLOW } from "../e2e/process.ts";

const LONG = 2 * SLOW;

/** In one write, so that no moment of it is to be seen. */
function overwrite(file: string, content: string): void {
  const fd = openSync(file, "r+");
  writeSync(fd, content);
  closeSync(fd);
}

/** For the end, in milliseconds. */
const LIMIT = 1500;

test(
  "a reader that pauses gets every line whole; one that never reads does not hold up the end, nor lose a line",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const files = Array.from({ length: 10 }, (_, i) => directory.write(`f${i}`, "0\n"));
    const changeAll = (mark: string) => files.forEach((file) => overwrite(file, `${mark.repeat(8000)}\n`));
    using pipe = new Pipe(directory.at("pipe"));
    pipe.fill();
    await using stuck = await Bpfink.start({ watch: files, database, stdout: pipe.writer });
    changeAll("a");
    const texts = await pipe.readLines(1 + files.length);
    const lines = texts.map((text) => JSON.parse(text) as Line);
    expect(lines.map(({ seq }) => seq)).toEqual([1, ...files.map((_, i) => 2 + i)]);
    expect(new Set(lines.map(({ file }) => file))).toEqual(new Set([undefined, ...files]));

    pipe.fill();
    changeAll("b");
    const signal = performance.now();
    const { status, stderr } = await stuck.stop("SIGTERM");
    expect(performance.now() - signal).toBeLessThan(LIMIT);
    expect(status).toBe(0);
    expect(stderr).toContain("what is not printed will be at the next start");

    await using next = await Bpfink.start({ watch: files, database });
    const late = next.lines.filter(
      ({ add }) => JSON.stringify(add) === JSON.stringify({ Content: ["b".repeat(8000)] }),
    );
    expect(late.map(({ file }) => file).sort()).toEqual([...files].sort());
    expect(late.map(({ seq, origin }) => [seq, origin])).toEqual(files.map((_, i) => [12 + i, "live"]));
    expect(next.lines.map(({ seq }) => seq)).toEqual(next.lines.map((_, i) => (next.lines[0]?.seq ?? 0) + i));
    expect(next.lines.at(-1)).toMatchObject({ action: "started", changed: 0 });
  },
  LONG,
);

test(
  "a reader that goes away ends bpfink with an error; the line it did not get comes at the next start",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const file = directory.write("f", "one\n");
    using pipe = new Pipe(directory.at("pipe"));
    await using broken = await Bpfink.start({ watch: [file], database, stdout: pipe.writer });
    await pipe.readLines(1);
    pipe.closeReader();
    writeFileSync(file, "two\n");
    const { status, stderr } = await broken.ended();
    expect(status).toBe(3);
    const errors = stderr.split("\n").filter((line) => line.startsWith("bpfink: error:"));
    expect(errors).toEqual([expect.stringMatching(/stdout cannot be written.*EPIPE/)]);

    await using next = await Bpfink.start({ watch: [file], database });
    const line = await next.nextChange(file);
    expect(line).toMatchObject({ seq: 2, origin: "live", add: { Content: ["two"] }, del: { Content: ["one"] } });
    expect(await next.line({ action: "stopped" })).toMatchObject({ seq: 3 });
    await next.noMoreLines();
  },
  LONG,
);
