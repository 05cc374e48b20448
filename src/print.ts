import { writeSync } from "node:fs";

/**
 * Writes text to stdout, all of it, before it returns. For commands that print and end: `bpfink watch`
 * prints its lines through sinks/stdout.ts, which waits for nobody. Where nobody reads, it is dropped.
 */
export function print(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return; // closed: nobody reads it
      Bun.sleepSync(1); // stdout is somebody's who asked not to be held up; we have time
    }
  }
}
