import { afterAll, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Bun.stdout.writer() is what is tested, so each test has a process whose stdout is a real pipe.

const work = mkdtempSync(join(tmpdir(), "bpfink-stdout-"));
afterAll(() => rmSync(work, { recursive: true }));

/** One step of stdout-child.ts. */
interface Step {
  readonly step: string;
  /** The last line taken from the journal, and the last one delivered. */
  readonly taken: number;
  readonly done: number;
  readonly errors: readonly string[];
  readonly [fact: string]: unknown;
}

class Child implements AsyncDisposable {
  readonly #process;
  #steps = "";

  constructor(scenario: string, stdout: "pipe" | number = "pipe") {
    const script = join(import.meta.dir, "stdout-child.ts");
    this.#process = Bun.spawn([process.execPath, script, scenario], { stdin: "pipe", stdout, stderr: "pipe" });
  }

  get stdout(): ReadableStream<Uint8Array> {
    const { stdout } = this.#process;
    if (!(stdout instanceof ReadableStream)) throw new Error("stdout is no pipe");
    return stdout;
  }

  /** Its ready() returns. */
  async go(): Promise<void> {
    this.#process.stdin.write("\n");
    await this.#process.stdin.flush();
  }

  /** The steps so far, once there are so many, or all when it has ended. */
  async steps(count = Infinity): Promise<Step[]> {
    const reader = this.#process.stderr.getReader();
    const lines = () => this.#steps.split("\n").slice(0, -1);
    while (lines().length < count) {
      const { done, value } = await reader.read();
      if (done) break;
      this.#steps += Buffer.from(value).toString();
    }
    reader.releaseLock();
    return lines().map((line) => JSON.parse(line) as Step);
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.exited;
  }
}

/** What was printed, all of it, and how it went. */
async function run(scenario: string) {
  await using child = new Child(scenario);
  const [text, steps, status] = await Promise.all([new Response(child.stdout).text(), child.steps(), child.exited]);
  const lines = text.split("\n");
  expect(lines.pop()).toBe("");
  return { lines, steps, status };
}

/** The numbers that lines begin with, held against 1 to n. */
function expectInOrder(lines: readonly string[], count: number): void {
  expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: count }, (_, i) => i + 1));
}

test("everything is printed, whole, once and in order", async () => {
  const { lines, steps, status } = await run("many");
  expectInOrder(lines, 1001);
  expect(lines.slice(0, 1000).every((line) => line.length === 300)).toBe(true);
  expect(steps).toEqual([
    { step: "first", taken: 1000, done: 1000, errors: [] },
    { step: "second", taken: 1001, done: 1001, errors: [] },
    { step: "nothing new", taken: 1001, done: 1001, errors: [] },
  ]);
  expect(status).toBe(0);
});

test("lines that come while others are printed follow them, and pump() resolves when they are out", async () => {
  const { lines, steps } = await run("during");
  expectInOrder(lines, 399);
  expect(steps).toEqual([{ step: "all", taken: 399, done: 399, errors: [] }]);
});

test("a line that comes in the moment in which there seems to be none is printed, too", async () => {
  const { lines, steps } = await run("late");
  expectInOrder(lines, 20);
  expect(steps).toEqual([{ step: "all", taken: 20, done: 20, errors: [] }]);
});

test("a reader that is gone is reported once, and nothing is delivered", async () => {
  await using child = new Child("closed");
  await child.stdout.cancel();
  await child.go();
  const steps = await child.steps();
  expect(steps).toEqual([
    { step: "first", taken: 10, done: 0, errors: ["EPIPE"] },
    { step: "second", taken: 10, done: 0, errors: ["EPIPE"] },
  ]);
  expect(await child.exited).toBe(0);
});

async function goAwayInTheMiddle(scenario: string): Promise<void> {
  await using child = new Child(scenario);
  const reader = child.stdout.getReader();
  expect((await reader.read()).done).toBe(false);
  await reader.cancel();
  await child.go();
  const [step, ...more] = await child.steps();
  expect(more).toEqual([]);
  expect(step).toMatchObject({ step: "first", errors: ["EPIPE"] });
  expect(step!.done).toBeLessThan(step!.taken);
  expect(await child.exited).toBe(0);
}

// FileSink.write() returns a promise of its own when the pipe is full, and that one is rejected, too.
test("a reader that goes away in the middle is reported once", () => goAwayInTheMiddle("closing"), {
  repeats: 3,
});

test("a reader that goes away in the middle of a long line is reported once", () => goAwayInTheMiddle("closingLong"), {
  repeats: 3,
});

test("a full disk is reported, and nothing is delivered", async () => {
  const full = openSync("/dev/full", "w");
  await using child = new Child("full", full);
  closeSync(full);
  expect(await child.steps()).toEqual([{ step: "first", taken: 10, done: 0, errors: ["ENOSPC"] }]);
  expect(await child.exited).toBe(0);
});

test("a reader that does not read holds one batch, and all comes when it reads", async () => {
  const pipe = join(work, "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true);
  // Bun reads ahead on a pipe of its own, and on this one nobody does.
  const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(pipe, "w");
  await using child = new Child("stuck", writing);
  closeSync(writing);
  await child.go();
  const [stuck] = await child.steps(1);
  expect(stuck).toMatchObject({ step: "stuck", settled: false, errors: [] });
  // The pipe holds 64 KiB: 32 lines. The rest is the batch.
  expect(stuck!.taken).toBeLessThanOrEqual(128);
  expect(stuck!.taken - stuck!.done).toBeLessThanOrEqual(64);
  expect(Number(stuck!["rss"])).toBeLessThan(150 << 20);
  await child.go();
  const [text, steps] = await Promise.all([new Response(Bun.file(reading).stream()).text(), child.steps()]);
  expect(text.length).toBe(100_000 * 2001);
  expect(steps.at(-1)).toEqual({ step: "read", taken: 100_000, done: 100_000, errors: [], settled: true });
});
