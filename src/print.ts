import { writeSync } from "node:fs";
import { BpfinkError, ExitStatus, messageOf } from "./errors.ts";

/**
 * Writes text to stdout, all of it, before it returns. For commands that print and end: `bpfink watch`
 * prints its lines through sinks/stdout.ts, which waits for nobody. Where nobody reads any more, it is dropped.
 *
 * @throws BpfinkError with status `cannotWatch` where it cannot be written: half an answer must not look like a whole one
 */
export function print(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") {
        throw new BpfinkError(ExitStatus.cannotWatch, `stdout cannot be written: ${messageOf(error)}`, "connect it");
      }
      Bun.sleepSync(1); // stdout is somebody's who asked not to be held up; we have time
    }
  }
}
