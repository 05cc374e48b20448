// A process that prints through StdoutSink as its argument says, and tells on stderr how it went: one JSON line a step.

import { writeSync } from "node:fs";
import { type Outbox, StdoutSink } from "../../../src/sinks/stdout.ts";

/** A journal in memory, which counts. */
class Journal implements Outbox {
  lines: { readonly seq: number; readonly line: string }[] = [];
  taken = 0;
  done = 0;

  add(count: number, size = 0): void {
    for (let i = 0; i < count; i++) {
      const seq = this.lines.length + 1;
      this.lines.push({ seq, line: `${seq} `.padEnd(size, "x") });
    }
  }

  undelivered(afterSeq: number, limit: number) {
    const rows = this.lines.slice(afterSeq, afterSeq + limit);
    this.taken = Math.max(this.taken, rows.at(-1)?.seq ?? 0);
    return rows;
  }

  delivered(seq: number): void {
    if (seq <= this.done) throw new Error(`${seq} was delivered already`);
    this.done = seq;
  }
}

const journal = new Journal();
const errors: string[] = [];
const sink = new StdoutSink(journal, (error) => errors.push((error as NodeJS.ErrnoException).code ?? error.message));

function say(step: string, facts: Record<string, unknown> = {}): void {
  writeSync(2, `${JSON.stringify({ step, taken: journal.taken, done: journal.done, errors, ...facts })}\n`);
}

/** A line on stdin: the parent is ready. */
async function ready(): Promise<void> {
  for await (const _ of Bun.stdin.stream()) return;
}

const scenarios: Record<string, () => Promise<void>> = {
  /** More lines than the pipe holds, in batches of any size. */
  async many() {
    journal.add(1000, 300);
    await sink.pump();
    say("first");
    journal.add(1);
    await sink.pump();
    say("second");
    await sink.pump();
    say("nothing new");
  },

  /** Lines that come while others are printed, each announced as the monitor does. */
  async during() {
    const pumps: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      journal.add(1 + (i % 3), 400);
      pumps.push(sink.pump());
      if (i % 2 === 0) pumps.push(sink.pump()); // twice in one turn
      if (i % 5 === 0) await Promise.resolve();
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(pumps);
    say("all");
  },

  /** A line comes whenever the journal has just been found empty, and another while one is delivered. */
  async late() {
    const { delivered, undelivered } = Journal.prototype;
    const add = () => {
      if (journal.lines.length === 20) return;
      journal.add(1);
      void sink.pump();
    };
    journal.delivered = function (seq) {
      delivered.call(this, seq);
      if (seq % 2 === 0) add();
    };
    journal.undelivered = function (afterSeq, limit) {
      const rows = undelivered.call(this, afterSeq, limit);
      if (rows.length === 0) add();
      return rows;
    };
    await sink.pump();
    say("all");
  },

  /** Nobody reads any more. */
  async closed() {
    await ready();
    journal.add(10);
    await sink.pump();
    say("first");
    journal.add(10);
    await Promise.all([sink.pump(), sink.pump()]);
    await sink.pump();
    say("second");
  },

  /** The reader goes away in the middle. */
  async closing() {
    journal.add(100_000, 100);
    const pumped = sink.pump();
    await ready();
    await pumped;
    say("first");
  },

  /** The same, and each line is more than the pipe holds. */
  async closingLong() {
    journal.add(1000, 200_000);
    const pumped = sink.pump();
    await ready();
    await pumped;
    say("first");
  },

  /** The reader never reads: 200 MB of lines wait. */
  async stuck() {
    const line = "x".repeat(2000);
    journal.lines = Array.from({ length: 100_000 }, (_, i) => ({ seq: i + 1, line }));
    let settled = false;
    const first = sink.pump().then(() => (settled = true));
    await ready();
    for (let i = 0; i < 1000; i++) void sink.pump();
    await new Promise((resolve) => setTimeout(resolve, 100));
    say("stuck", { settled, rss: process.memoryUsage.rss() });
    await ready();
    await first;
    say("read", { settled });
  },

  /** The disk is full. */
  async full() {
    journal.add(10);
    await sink.pump();
    say("first");
  },
};

process.on("unhandledRejection", (error) => {
  say("unhandled", { error: String(error) });
  process.exit(1);
});
await scenarios[process.argv[2]!]!();
process.exit(0);
