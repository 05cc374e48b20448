import { type Format, PRINTED } from "../sinks/formats.ts";
import { prettier } from "../sinks/pretty.ts";
import { isTerminal, paint } from "../terminal.ts";

/**
 * How lines are printed on stdout: for people when it is a terminal and no format was asked for.
 */
export function lineFormat(options: {
  readonly json: boolean;
  readonly format: Format | undefined;
}): (line: string) => string {
  const { json, format } = options;
  if (format !== undefined || json || !isTerminal()) return PRINTED[format ?? "bpfink"];
  return prettier(paint());
}
