import { isatty } from "node:tty";
import { prettier } from "../sinks/pretty.ts";

/**
 * How lines are printed on stdout: for people when it is a terminal, as they are elsewhere and with --json.
 * Without colours where NO_COLOR is set to anything (no-color.org), and on a dumb terminal.
 */
export function lineFormat(json: boolean): (line: string) => string {
  if (json || !isatty(1)) return (line) => line;
  const { NO_COLOR = "", TERM } = process.env;
  return prettier(NO_COLOR === "" && TERM !== "dumb");
}
