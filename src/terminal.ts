import { isatty } from "node:tty";

/** Parameters of SGR (ECMA-48). */
const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof STYLES;

/** Text in a style, or as it is. */
export type Paint = (style: Style, text: string) => string;

export const coloured: Paint = (style, text) => `\u001b[${STYLES[style]}m${text}\u001b[0m`;
export const plain: Paint = (_, text) => text;

/** Whether stdout is a terminal. */
export const isTerminal = (): boolean => isatty(1);

/** For stdout: colours where it is a terminal that has them, and nobody asked for none (no-color.org). */
export function paint(): Paint {
  const { NO_COLOR = "", TERM } = process.env;
  return isTerminal() && NO_COLOR === "" && TERM !== "dumb" ? coloured : plain;
}
