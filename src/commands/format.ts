import { isatty } from "node:tty";
import { type Format, PRINTED } from "../sinks/formats.ts";
import { prettier } from "../sinks/pretty.ts";

/**
 * How lines are printed on stdout: for people when it is a terminal and no format was asked for.
 * Without colours where NO_COLOR is set to anything (no-color.org), and on a dumb terminal.
 */
export function lineFormat(options: {
  readonly json: boolean;
  readonly format: Format | undefined;
}): (line: string) => string {
  const { json, format } = options;
  if (format !== undefined || json || !isatty(1)) return PRINTED[format ?? "bpfink"];
  const { NO_COLOR = "", TERM } = process.env;
  return prettier(NO_COLOR === "" && TERM !== "dumb");
}
