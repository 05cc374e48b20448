// kill -9 at random moments under load, some hundreds of times: no state that was seen is lost, none is told twice.
import { expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { digestOf, type Line } from "../e2e/line.ts";
import { BPFINK, bpfink, environment, SLOW } from "../e2e/process.ts";

const KILLS = 240;
const FILES = 8;
/** To start: the kernel takes seconds to check BPF programs. What is tested here does not depend on the source. */
const FASTEST = ["--backend", "fanotify"];
/** How long a run may go on once it prints, in milliseconds. */
const PRINTING = 80;

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

/** A bpfink whose lines are appended to a log, as a service's are. */
function spawn(log: string, database: string, watch: readonly string[]): Bun.Subprocess {
  const output = openSync(log, "a");
  const paths = watch.flatMap((path) => ["--watch", path]);
  try {
    return Bun.spawn([BPFINK, "--database", database, "--log-level", "error", ...FASTEST, ...paths], {
      env: environment(),
      stdin: "ignore",
      stdout: output,
      stderr: "inherit",
    });
  } finally {
    closeSync(output);
  }
}

async function kill(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

/** Each line by its number; one that comes again must be the same. What a kill tore must come again, whole. */
function collect(log: string): {
  readonly texts: Map<number, string>;
  readonly repeats: number;
  readonly torn: number;
} {
  const texts = new Map<number, string>();
  const torn: string[] = [];
  let repeats = 0;
  for (const text of log.split("\n").slice(0, -1)) {
    if (!text.endsWith("}") || digestOf(text) !== /"hash":"([0-9a-f]*)"/.exec(text)?.[1]) {
      torn.push(text);
      continue;
    }
    const { seq } = JSON.parse(text) as Line;
    if (texts.has(seq)) repeats++;
    expect(texts.get(seq) ?? text).toBe(text);
    texts.set(seq, text);
  }
  const whole = [...texts.values()];
  for (const beginning of torn) expect(whole.some((text) => text.startsWith(beginning))).toBe(true);
  return { texts, repeats, torn: torn.length };
}

test("the lines of hundreds of runs, each killed, tell one history", async () => {
  using directory = new TemporaryDirectory();
  const database = directory.at("state/x.db");
  const log = directory.write("log");
  const files = Array.from({ length: FILES }, (_, i) => directory.write(`f${i}`, "0\n"));
  const begin = performance.now();
  {
    const first = spawn(log, database, files);
    while (statSync(log).size === 0) await Bun.sleep(1);
    await kill(first); // the baseline is made: what comes now is told
  }
  const startup = performance.now() - begin;

  const load = new Load(files);
  for (let kills = 0; kills < KILLS; kills++) {
    const before = statSync(log).size;
    const child = spawn(log, database, files);
    const isEarly = kills % 2 === 0;
    const deadline = performance.now() + (isEarly ? Math.random() * startup : SLOW);
    while (statSync(log).size === before && performance.now() < deadline) await Bun.sleep(1);
    if (!isEarly) await Bun.sleep(Math.random() * PRINTING);
    await kill(child);
  }
  await load.stop();

  const last = spawn(log, database, files);
  const watching = statSync(log).size;
  while (!readFileSync(log, "utf8").slice(watching).includes('"action":"started"')) await Bun.sleep(10);
  last.kill("SIGTERM");
  expect(await last.exited).toBe(0);

  const { texts, repeats, torn } = collect(readFileSync(log, "utf8"));
  const seqs = [...texts.keys()].sort((a, b) => a - b);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  const history = seqs.map((seq) => texts.get(seq)!);
  const lines = history.map((text) => JSON.parse(text) as Line & Record<"add" | "del", { Content: string[] }>);
  lines.forEach(({ prev }, i) => expect(prev).toBe(lines[i - 1]?.hash ?? "0".repeat(64)));
  for (const file of files) {
    let [content, count] = ["0", 0];
    for (const { add, del } of lines.filter((line) => line.file === file)) {
      expect(del.Content).toEqual(content === "" ? [] : [content]);
      content = add.Content[0] ?? "";
      if (content === "") continue; // emptied, and not yet written
      expect(Number(content)).toBeGreaterThan(count - (del.Content.length === 0 ? 1 : 0));
      count = Number(content);
    }
    expect(content).toBe(String(load.counts.get(file)));
  }
  const { status, stdout } = await bpfink(["verify", "--database", database, log]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("nothing amiss") });
  const saved = await bpfink(["check", "--database", database, ...files.flatMap((file) => ["--watch", file])]);
  expect(saved).toMatchObject({ status: 0, stdout: "" });
  // there was something to lose: lines on their way out, and lines that were out and not yet marked
  expect(lines.length).toBeGreaterThan(2 * KILLS);
  expect(repeats).toBeGreaterThan(0);
  const seconds = Math.round((performance.now() - begin) / 1000);
  const counted = `${lines.length} lines, ${repeats} of them printed again, ${torn} torn`;
  process.stderr.write(`${KILLS} kills in ${seconds} s: ${counted}\n`);
}, 600_000);

test("killed while it makes its database, it has lost nothing; after a torn line the next one begins anew", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.write("f", "0\n");
  for (let kills = 0; kills < 12; kills++) {
    const database = directory.at(`${kills}/x.db`);
    const log = directory.write(`log${kills}`, '{"time":"2026');
    const child = spawn(log, database, [file]);
    // from the first trace of the database on, some milliseconds: 12 moments until it is whole
    while (!existsSync(database)) await Bun.sleep(0);
    await Bun.sleep(3 * kills);
    await kill(child);
    const next = spawn(log, database, [file]);
    while (!readFileSync(log, "utf8").includes("bpfink started")) await Bun.sleep(1);
    await kill(next);
    const [torn, ...texts] = readFileSync(log, "utf8").split("\n").slice(0, -1);
    expect(torn).toBe('{"time":"2026');
    const lines = texts.map((text) => JSON.parse(text) as Line);
    expect(lines.filter(({ action }) => action !== "started")).toEqual([]);
    expect(lines[0]).toMatchObject({ seq: 1, prev: "0".repeat(64) });
  }
}, 60_000);
