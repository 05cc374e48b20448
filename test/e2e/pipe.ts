import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { PATIENCE } from "./process.ts";

/** A FIFO that this process reads when it likes. */
export class Pipe implements Disposable {
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
  readLines(count: number): Promise<string[]> {
    return this.readUntil((lines) => lines.length >= count);
  }

  /** Reads until the whole lines that came are enough, or for so many milliseconds. */
  async readUntil(areEnough: (lines: readonly string[]) => boolean, patience = PATIENCE): Promise<string[]> {
    const deadline = performance.now() + patience;
    for (;;) {
      this.#read();
      const lines = this.#text
        .split("\n")
        .slice(0, -1)
        .filter((line) => line !== "");
      if (areEnough(lines)) {
        this.#text = "";
        return lines;
      }
      if (performance.now() > deadline) throw new Error(`${lines.length} lines, and not enough: ${lines.join("\n")}`);
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
