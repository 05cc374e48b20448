import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { createConsola, type LogObject, LogLevels } from "consola/core";
import { withoutHashes } from "./hashes.ts";
import { count } from "./metrics.ts";
import { visible } from "./visible.ts";

/** Levels that --log-level takes, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The log for people, on stderr: one line a message. stdout belongs to the changes alone, so
 * consola's own reporters, which choose the stream by level, are not used.
 */
export const log = createConsola({
  level: LogLevels.info,
  throttle: 0,
  reporters: [{ log: report }],
});

/** What people put into a configuration, and name as one, is quoted in messages: shadow, perhaps. */
function report({ type, args }: LogObject): void {
  count(`log_level.${type}`);
  writeStderr(`bpfink: ${prefix(type)}${visible(withoutHashes(args.join(" ")))}\n`);
}

export function setLogLevel(level: LogLevel): void {
  log.level = LogLevels[level];
}

const prefix = (type: string): string => (type === "info" ? "" : `${type}: `);

/** What stands on the last line of the terminal, to be written over. */
let status = "";

/** Shows how far something is, on a terminal that can take it away again; "" does that. */
export function showStatus(text: string): void {
  if (!isatty(2) || process.env["TERM"] === "dumb") return;
  if (text !== status) writeStderr("");
  status = text.slice(0, (process.stderr.columns || 80) - 1); // of what is wrapped, only the last row would go away
  if (status !== "") write(status);
}

function writeStderr(text: string): void {
  if (status !== "") write("\r\u001b[K");
  status = "";
  write(text);
}

function write(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // stderr closed or full: the log for people is the one thing that may be lost
  }
}
