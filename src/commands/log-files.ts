import { statSync } from "node:fs";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";

/** As an operand. */
export const STDIN = "-";

/** Longer than any line of bpfink's (a diff has at most some 64 KiB, a list of users some MiB). */
const LONGEST_LINE = 256 * 1024 ** 2;
const NEWLINE = 10;

/** Bytes of a log, 0 where that is not known. Throws BpfinkError (`usage`). */
export function sizeOf(file: string): number {
  if (file === STDIN) return 0;
  try {
    const stat = statSync(file);
    if (!stat.isDirectory()) return stat.size;
  } catch (error) {
    throw unreadable(file, messageOf(error));
  }
  throw unreadable(file, "it is a directory");
}

/** The lines of a log, without their newlines. Each may be changed, and is gone when the next is asked for. */
export async function* linesOf(file: string): AsyncGenerator<Buffer> {
  const stream = (file === STDIN ? Bun.stdin : Bun.file(file)).stream();
  let rest: Buffer[] = [];
  let length = 0;
  try {
    for await (const bytes of stream) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let begin = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
        const line = chunk.subarray(begin, end);
        yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
        rest = [];
        length = 0;
        begin = end + 1;
      }
      if (begin === chunk.length) continue;
      rest.push(chunk.subarray(begin));
      length += chunk.length - begin;
      if (length > LONGEST_LINE) throw unreadable(file, "it is not made of lines");
    }
  } catch (error) {
    throw error instanceof BpfinkError ? error : unreadable(file, messageOf(error));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

function unreadable(file: string, why: string): BpfinkError {
  const name = file === STDIN ? "stdin" : file;
  return new BpfinkError(ExitStatus.usage, `${name} cannot be read: ${why}`, "name a log that bpfink wrote");
}
