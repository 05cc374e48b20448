// What bpfink needs of memory: with many files, and when nobody reads its lines. `bun test/bench/memory.ts [FILES] [SECONDS]`
//
// Prints one line of JSON a measurement, and exits with 1 when one is over its bound. Sizes are RssAnon and
// VmRSS of /proc/PID/status, in MB (a million bytes): what is mapped of the executable is the page cache's, and VmRSS
// has both.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BPFINK, environment } from "../e2e/process.ts";

/** MB of VmRSS: at rest; when files were changed; when nobody reads. */
const BOUNDS = { files: 100, changed: 110, stuck: 120 };
/** Of the files, those that are changed before it is measured again. */
const CHANGED = 1000;

const [files = 100_000, seconds = 10] = process.argv.slice(2).map(Number);

interface Memory {
  readonly rss: number;
  readonly anonymous: number;
}

function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1.024e-3);
  return { rss: of("VmRSS"), anonymous: of("RssAnon") };
}

/** The most of what it had, until it stays within a MB for six seconds: what only the start needed is given back after three. */
async function settle(pid: number): Promise<{ peak: number; now: Memory }> {
  let peak = 0;
  let last = memoryOf(pid);
  for (let calm = 0; calm < 60; await Bun.sleep(100)) {
    const now = memoryOf(pid);
    peak = Math.max(peak, now.rss);
    calm = Math.abs(now.rss - last.rss) <= 1 ? calm + 1 : 0;
    if (calm === 0) last = now;
  }
  return { peak, now: memoryOf(pid) };
}

function start(args: readonly string[], stdout: number | "pipe") {
  const child = Bun.spawn([BPFINK, "--backend", process.env["BACKEND"] ?? "auto", ...args], {
    env: environment(),
    stdin: "ignore",
    stdout,
    stderr: "pipe",
  });
  const started = (async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      text += decoder.decode(chunk, { stream: true });
      if (/ watched, .* waited for/.test(text)) return;
    }
    throw new Error(text);
  })();
  return { child, started };
}

let isOver = false;

function report(name: string, bound: number, memory: { peak: number; now: Memory }, more: object = {}): void {
  isOver ||= memory.now.rss > bound;
  console.log(
    JSON.stringify({ name, rss: memory.now.rss, anonymous: memory.now.anonymous, peak: memory.peak, bound, ...more }),
  );
}

const directory = mkdtempSync(join(tmpdir(), "bpfink-bench-"));
const fileAt = (i: number) => join(directory, "tree", String(Math.floor(i / 1000)), `file-${i}`);
try {
  for (let i = 0; i < files; i++) {
    if (i % 1000 === 0) Bun.spawnSync(["mkdir", "-p", join(directory, "tree", String(i / 1000))]);
    writeFileSync(fileAt(i), "");
  }
  const database = join(directory, "state", "x.db");
  for (const name of ["first start", "second start"]) {
    const { child, started } = start(
      ["--watch", join(directory, "tree"), "--database", database],
      openSync("/dev/null", "w"),
    );
    await started;
    report(`${files} files, ${name}`, BOUNDS.files, await settle(child.pid));
    for (let i = 0; i < files; i += Math.ceil(files / CHANGED)) writeFileSync(fileAt(i), `${name}\n`);
    report(`the same, ${CHANGED} of them changed`, BOUNDS.changed, await settle(child.pid));
    child.kill();
    await child.exited;
  }
  if (seconds > 0) for (const where of [join(directory, "state", "y.db"), ":memory:"]) await stuckReader(where);
} finally {
  rmSync(directory, { recursive: true });
}
process.exit(isOver ? 1 : 0);

/** Some thousand changes a second, and nobody reads; then somebody does. */
async function stuckReader(where: string): Promise<void> {
  const names = Array.from({ length: 50 }, (_, i) => join(directory, `hot-${i}`));
  for (const name of names) writeFileSync(name, "0\n");
  const fifo = join(directory, `fifo-${where === ":memory:" ? "memory" : "file"}`);
  Bun.spawnSync(["mkfifo", fifo]);
  const reader = openSync(fifo, "r+");
  const args = [...names.flatMap((name) => ["--watch", name]), "--database", where];
  const writer = openSync(fifo, "w");
  const { child, started } = start(args, writer);
  closeSync(writer);
  await started;
  const fds = names.map((name) => openSync(name, "w"));
  const begin = performance.now();
  let changes = 0;
  let peak = 0;
  while (performance.now() < begin + seconds * 1000) {
    for (const fd of fds) writeSync(fd, `${++changes}\n`, 0);
    if (changes % 1000 === 0) {
      peak = Math.max(peak, memoryOf(child.pid).rss);
      await Bun.sleep(1);
    }
  }
  fds.forEach(closeSync);
  const rate = Math.round(changes / ((performance.now() - begin) / 1000));
  const memory = await settle(child.pid);
  const seqs = await readAll(reader, names, String(changes));
  const complete = seqs.every((seq, i) => seq === i + 1);
  isOver ||= !complete;
  const more = { changesPerSecond: rate, seconds, lines: seqs.length, complete };
  report(
    `reader stopped, ${where === ":memory:" ? where : "database"}`,
    BOUNDS.stuck,
    { ...memory, peak: Math.max(peak, memory.peak) },
    more,
  );
  child.kill();
  await child.exited;
  closeSync(reader);
}

/** Sequence numbers of all lines up to the one that tells of the last change. */
async function readAll(reader: number, names: readonly string[], last: string): Promise<number[]> {
  const stream = Bun.spawn(["cat"], { stdin: reader, stdout: "pipe" });
  const seqs: number[] = [];
  let begun = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream.stdout) {
    const lines = (begun + decoder.decode(chunk, { stream: true })).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) {
      const { seq, file, add } = JSON.parse(line) as { seq: number; file?: string; add?: { Content?: string[] } };
      seqs.push(seq);
      if (file === names.at(-1) && add?.Content?.includes(last) === true) {
        stream.kill();
        return seqs;
      }
    }
  }
  return seqs;
}
