// What is kept from one run to the next, whatever way bpfink ends, and how it ends.
import { expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import type { Line } from "./line.ts";
import { inVm, PATIENCE, SLOW } from "./process.ts";

const LONG = 2 * SLOW;

test(
  "a first run makes a baseline, the next tells what changed meanwhile, the one after it nothing",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const names = ["content", "deleted", "created", "mode", "same", "passwd", "tree"];
    const watch = names.map((name) => directory.at(name));
    for (const name of ["content", "deleted", "mode", "same", "tree/kept", "tree/gone"]) directory.write(name, "one\n");
    directory.write("passwd", "root:x:0:0:root:/root:/bin/bash\n");

    await using first = await Bpfink.start({ watch, database });
    expect(first.lines).toMatchObject([{ action: "started", changed: 0, missing: 1 }]);
    const ended = await first.stop("SIGINT");
    expect(ended.status).toBe(0);
    expect(first.lines.map(({ action }) => action)).toEqual(["started", "stopped"]);

    directory.write("content", "two\n");
    unlinkSync(directory.at("deleted"));
    directory.write("created", "one\n");
    chmodSync(directory.at("mode"), 0o600);
    directory.write("same", "one\n");
    directory.write("passwd", "root:x:0:0:root:/root:/bin/sh\n");
    unlinkSync(directory.at("tree/gone"));
    directory.write("tree/new/f", "one\n");

    await using second = await Bpfink.start({ watch, database });
    const changes = second.lines.filter(({ origin }) => origin !== undefined);
    const byFile = Object.fromEntries(changes.map((line) => [line.file?.slice(directory.path.length + 1), line]));
    expect(byFile).toMatchObject({
      content: { action: "modified", origin: "startup", del: { Content: ["one"] }, add: { Content: ["two"] } },
      deleted: { action: "deleted", origin: "startup" },
      created: { action: "created", origin: "startup", add: { Content: ["one"] } },
      mode: { action: "attributes", origin: "startup", attributes: { mode: { from: "0644", to: "0600" } } },
      passwd: {
        origin: "startup",
        add: [{ user: "root", shell: "/bin/sh" }],
        del: [{ user: "root", shell: "/bin/bash" }],
      },
      "tree/gone": { action: "deleted", origin: "startup" },
      "tree/new": { action: "created", origin: "startup" },
      "tree/new/f": { action: "created", origin: "startup", consumer: "generic" },
    });
    expect(changes).toHaveLength(8);
    for (const change of changes) expect(change).not.toHaveProperty("process");
    expect(second.lines.at(-1)).toMatchObject({ action: "started", changed: 8 });
    expect(second.lines[0]?.seq).toBe(3);
    expect((await second.stop("SIGTERM")).status).toBe(0);
    expect(second.lines.at(-1)?.action).toBe("stopped");

    await using third = await Bpfink.start({ watch, database });
    expect(third.lines).toMatchObject([{ action: "started", changed: 0 }]);
  },
  LONG,
);

/** Lines of several runs in the order of their seq, each once; what is printed again must be the same. */
function joined(runs: readonly Bpfink[]): Line[] {
  const bySeq = new Map<number, string>();
  for (const { lines, texts } of runs) {
    lines.forEach(({ seq }, i) => {
      const text = texts[i] ?? "";
      expect(bySeq.get(seq) ?? text).toBe(text);
      bySeq.set(seq, text);
    });
  }
  const seqs = [...bySeq.keys()].sort((a, b) => a - b);
  expect(seqs).toEqual(Array.from(seqs, (_, i) => i + 1));
  return seqs.map((seq) => JSON.parse(bySeq.get(seq) ?? "") as Line);
}

/** The lines added and removed, from the first state to the last: each begins where the one before ended. */
function follow(lines: readonly Line[], file: string): string {
  let content = "0";
  for (const line of lines) {
    if (line.file !== file) continue;
    const { add, del } = line as unknown as Record<"add" | "del", { Content: string[] }>;
    expect(del.Content).toEqual([content]);
    content = add.Content[0] ?? "";
  }
  return content;
}

test(
  "kill -9 right after a line and under load: the lines of all runs together tell the whole history",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const files = Array.from({ length: 10 }, (_, i) => directory.write(`f${i}`, "0\n"));
    const counts = new Map<string, number>();
    const change = (file: string) => {
      const count = (counts.get(file) ?? 0) + 1;
      counts.set(file, count);
      writeFileSync(`${file}.tmp`, `${count}\n`);
      renameSync(`${file}.tmp`, file);
    };
    await using runs = new AsyncDisposableStack();
    const history: Bpfink[] = [];
    const start = async () => {
      const bp = runs.use(await Bpfink.start({ watch: files, database }));
      history.push(bp);
      return bp;
    };
    for (const linesBeforeTheEnd of [1, 50]) {
      const bp = await start();
      const before = bp.lines.length;
      let going = true;
      const load = (async () => {
        for (let i = 0; going; i++) {
          change(files[i % files.length] ?? "");
          if (inVm || i % 3 === 0) await Bun.sleep(inVm ? 10 : 0); // an emulated processor would do nothing else
        }
      })();
      await bp.line(() => bp.lines.length >= before + linesBeforeTheEnd);
      expect((await bp.stop("SIGKILL")).status).not.toBe(0);
      going = false;
      await load;
    }
    await (await start()).rest();
    const lines = joined(history);
    for (const file of files) expect(follow(lines, file)).toBe(String(counts.get(file)));
  },
  LONG,
);

/** In one write, so that no moment of it is to be seen. */
function overwrite(file: string, content: string): void {
  const fd = openSync(file, "r+");
  writeSync(fd, content);
  closeSync(fd);
}

const LIMIT = inVm ? 15_000 : 1500;

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
    if (!inVm) expect(late.map(({ seq, origin }) => [seq, origin])).toEqual(files.map((_, i) => [12 + i, "live"]));
    expect(next.lines.map(({ seq }) => seq)).toEqual(next.lines.map((_, i) => (next.lines[0]?.seq ?? 0) + i));
    expect(next.lines.at(-1)).toMatchObject({ action: "started", changed: inVm ? expect.any(Number) : 0 });
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

/** A FIFO that this process reads when it likes. */
class Pipe implements Disposable {
  readonly writer: number;
  readonly #reader: number;
  #isRead = true;
  #text = "";

  constructor(path: string) {
    const { exitCode } = Bun.spawnSync(["mkfifo", path]);
    if (exitCode !== 0) throw new Error(`mkfifo ${path}: status ${exitCode}`);
    this.#reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY);
  }

  /** Leaves room for one page of 16: enough for a short line, not for a long one. */
  fill(): void {
    for (let page = 0; page < 15; page++) writeSync(this.writer, "\n".repeat(4096));
  }

  /** Reads until there are so many whole lines, not counting what filled the pipe. */
  async readLines(count: number): Promise<string[]> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      this.#read();
      const lines = this.#text
        .split("\n")
        .slice(0, -1)
        .filter((line) => line !== "");
      if (lines.length >= count) {
        this.#text = "";
        return lines;
      }
      if (performance.now() > deadline) throw new Error(`${lines.length} lines, not ${count}: ${lines.join("\n")}`);
      await Bun.sleep(1);
    }
  }

  closeReader(): void {
    if (this.#isRead) closeSync(this.#reader);
    this.#isRead = false;
  }

  [Symbol.dispose](): void {
    this.closeReader();
    closeSync(this.writer);
  }

  #read(): void {
    const chunk = new Uint8Array(65_536);
    try {
      for (let n = -1; n !== 0;) {
        n = readSync(this.#reader, chunk);
        this.#text += Buffer.from(chunk.subarray(0, n)).toString();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
