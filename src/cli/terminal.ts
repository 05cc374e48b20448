import { isatty } from "node:tty";

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Paint = (colour: keyof typeof COLOURS, text: string) => string;

/** Whether stdout is a terminal. */
export const isTerminal = (): boolean => isatty(1);

/** Colours where stdout is a terminal that has them, and nobody asked for none (no-color.org). */
export function paint(): Paint {
  const { NO_COLOR, TERM } = process.env;
  const isColoured = isTerminal() && (NO_COLOR ?? "") === "" && TERM !== "dumb";
  return (colour, text) => (isColoured ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text);
}
