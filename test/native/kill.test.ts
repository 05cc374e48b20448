// kill -9 at random moments under load, some hundreds of times: no state that was seen is lost, none is told twice.
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { digestOf, type Line } from "../e2e/line.ts";
import { BPFINK, bpfink, environment } from "../e2e/process.ts";

const KILLS = 300;
/** Where a start takes long, there are fewer: milliseconds for all. */
const LIMIT = 45_000;
const FILES = 8;
/** To start: the kernel takes seconds to check BPF programs. What is tested here does not depend on the source. */
const FASTEST = ["--backend", "fanotify"];

/** Changes files one after the other, each to the next number, until it is told to stop. */
class Load {
  readonly counts = new Map<string, number>();
  #going = true;
  readonly #done: Promise<void>;

  constructor(files: readonly string[]) {
    this.#done = this.#run(files);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #run(files: readonly string[]): Promise<void> {
    for (let i = 0; this.#going; i++) {
      const file = files[i % files.length]!;
      const count = (this.counts.get(file) ?? 0) + 1;
      this.counts.set(file, count);
      // half of them in place, half as editors save
      const written = i % 2 === 0 ? file : `${file}.tmp`;
      writeFileSync(written, `${count}\n`);
      if (written !== file) renameSync(written, file);
      await Bun.sleep(1);
    }
  }
}

/** Each line by its number; one that comes again must be the same. A line that the kill tore has no newline. */
function collect(texts: Map<number, string>, output: string): number {
  let repeats = 0;
  for (const text of output.split("\n").slice(0, -1)) {
    const { seq } = JSON.parse(text) as Line;
    if (texts.has(seq)) repeats++;
    expect(texts.get(seq) ?? text).toBe(text);
    texts.set(seq, text);
  }
  return repeats;
}

test("the lines of hundreds of runs, each killed, tell one history", async () => {
  using directory = new TemporaryDirectory();
  const database = directory.at("state/x.db");
  const files = Array.from({ length: FILES }, (_, i) => directory.write(`f${i}`, "0\n"));
  const begin = performance.now();
  {
    await using first = await Bpfink.start({ watch: files, database, args: FASTEST });
    writeFileSync(directory.at("log"), first.texts.map((text) => `${text}\n`).join(""));
    await first.stop("SIGKILL"); // the baseline is made: what comes now is told
  }
  /** Long enough to be watching in most runs, and killed before that in many. */
  const longest = 2 * (performance.now() - begin);

  const texts = new Map<number, string>();
  collect(texts, readFileSync(directory.at("log"), "utf8"));
  const load = new Load(files);
  let repeats = 0;
  let kills = 0;
  for (; kills < KILLS && performance.now() < begin + LIMIT; kills++) {
    const output = openSync(directory.at("log"), "w");
    const watch = files.flatMap((file) => ["--watch", file]);
    const child = Bun.spawn([BPFINK, "--database", database, "--log-level", "error", ...FASTEST, ...watch], {
      env: environment(),
      stdin: "ignore",
      stdout: output,
      stderr: "inherit",
    });
    await Bun.sleep(Math.random() * longest);
    child.kill("SIGKILL");
    await child.exited;
    closeSync(output);
    repeats += collect(texts, readFileSync(directory.at("log"), "utf8"));
  }
  await load.stop();

  await using last = await Bpfink.start({ watch: files, database, args: FASTEST });
  await last.rest();
  repeats += collect(texts, last.texts.map((text) => `${text}\n`).join(""));
  const seqs = [...texts.keys()].sort((a, b) => a - b);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  const history = seqs.map((seq) => texts.get(seq)!);
  const lines = history.map((text) => JSON.parse(text) as Line & Record<"add" | "del", { Content: string[] }>);
  lines.forEach(({ prev, hash }, i) => {
    expect([prev, hash]).toEqual([lines[i - 1]?.hash ?? "0".repeat(64), digestOf(history[i]!)]);
  });
  for (const file of files) {
    let content = "0";
    for (const { add, del } of lines.filter((line) => line.file === file)) {
      expect(del.Content).toEqual(content === "" ? [] : [content]);
      content = add.Content[0] ?? "";
    }
    expect(content).toBe(String(load.counts.get(file)));
  }
  writeFileSync(directory.at("log"), history.map((text) => `${text}\n`).join(""));
  const verified = await bpfink(["verify", "--database", database, directory.at("log")]);
  expect(verified.stdout).toContain("nothing amiss");
  expect(lines.length).toBeGreaterThan(kills); // there was something to lose
  const seconds = Math.round((performance.now() - begin) / 1000);
  process.stderr.write(`${kills} kills in ${seconds} s: ${lines.length} lines, ${repeats} of them printed again\n`);
}, 120_000);
