import { isatty } from "node:tty";

/** Text for a terminal: what would steer it is shown as its number instead. */
export function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu, (character) => {
    const code = character.charCodeAt(0);
    // paths.ts: a byte that is not UTF-8
    return code >= 0xdc80 && code <= 0xdcff
      ? `\\x${(code - 0xdc00).toString(16)}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

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
