import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { FileSink } from "bun";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";

/** Where lines wait for a sink: the journal. */
export interface Outbox {
  /** Lines not yet delivered with a seq above this one, in order. */
  undelivered(afterSeq: number, limit: number): readonly { readonly seq: number; readonly line: string }[];
  /** Everything up to and including this seq has been taken by the sink. */
  delivered(seq: number): void;
}

/** Lines taken from the journal at a time: what can be printed twice after a crash. */
const BATCH = 64;

/**
 * Prints what is in the journal on stdout, in order, each line at once. Lines wait in the journal,
 * not in memory: a reader that does not read holds nothing but the batch under way.
 */
export class StdoutSink {
  readonly #outbox: Outbox;
  readonly #onError: (error: Error) => void;
  readonly #format: (line: string) => string;
  readonly #writer: FileSink = Bun.stdout.writer();
  #seq = 0;
  #draining: Promise<void> | undefined;
  #asked = false;
  #broken = false;

  /**
   * @param onError stdout is broken (its reader is gone, its disk is full): nothing more will be printed
   * @param format what is printed of a line
   */
  constructor(outbox: Outbox, onError: (error: Error) => void, format = (line: string) => line) {
    this.#format = format;
    this.#outbox = outbox;
    this.#onError = onError;
  }

  /** Says that there may be new lines. Resolves when all are printed, or printing them failed. */
  async pump(): Promise<void> {
    this.#asked = true;
    await (this.#draining ??= this.#drain());
  }

  async #drain(): Promise<void> {
    // the first turn comes after pump() has kept the promise
    await Promise.resolve();
    try {
      while (this.#asked && !this.#broken) {
        this.#asked = false;
        await this.#printAll();
      }
    } catch (error) {
      this.#broken = true;
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#draining = undefined;
    }
  }

  async #printAll(): Promise<void> {
    for (;;) {
      const rows = this.#outbox.undelivered(this.#seq, BATCH);
      const last = rows.at(-1);
      if (last === undefined) return;
      // write() may begin to write, and fails by its own promise then, while flush() is content
      const written = this.#writer.write(rows.map(({ line }) => `${this.#format(line)}\n`).join(""));
      await Promise.all([written, this.#writer.flush()]);
      this.#seq = last.seq;
      this.#outbox.delivered(last.seq);
    }
  }
}

/** What was killed before may have torn its last line, in a file that stdout is appended to: the next one begins anew. */
export function endTornLine(): void {
  let fd: number | undefined;
  try {
    const stat = fstatSync(1);
    if (!stat.isFile() || stat.size === 0) return;
    fd = openSync("/proc/self/fd/1", "r"); // stdout itself may be open for writing alone
    const last = Buffer.alloc(1);
    readSync(fd, last, 0, 1, stat.size - 1);
    if (last.toString() !== "\n") writeSync(1, "\n");
  } catch {
    // what cannot be read stays as it is; what cannot be written is told by the first line
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** For a command that has nothing else to do meanwhile: returns when stdout has taken the lines. */
export function printLines(lines: readonly string[]): void {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      // stdout is somebody's who asked not to be held up; we have time
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") Bun.sleepSync(1);
      else throw new BpfinkError(ExitStatus.cannotWatch, `stdout cannot be written: ${messageOf(error)}`, "connect it");
    }
  }
}
