import { usage } from "../cli/args.ts";

export type Table = Readonly<Record<string, unknown>>;

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads TOML. A text that is none is a BpfinkError with status `usage` that names file and line. */
export function parseToml(text: string, file: string): Table {
  const error = refusal(text);
  if (error === undefined) return Bun.TOML.parse(text) as Table;
  throw usage(`${file} line ${lineOfError(text)}: ${error}`, "see toml.io for how to write it");
}

/** How many lines back the beginning of what has no end is looked for: each costs a parse. */
const MOST_BACK = 100;

/** Bun's parser tells no line. */
function lineOfError(text: string): number {
  const lines = text.split("\n");
  const until = (count: number) => refusal(`${lines.slice(0, count).join("\n")}\n`);
  // the shortest beginning that nothing behind it can mend
  let [good, bad] = [0, lines.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUnfinished(until(middle))) good = middle;
    else bad = middle;
  }
  if (bad <= lines.length) return bad;
  // its end is missing: what has none begins after the longest beginning that is whole
  let line = lines.length;
  while (line > 1 && lines.length - line < MOST_BACK && until(line - 1) !== undefined) line--;
  return line;
}

/** Whether something behind a text can make it right, or nothing needs to. */
const isUnfinished = (error: string | undefined): boolean =>
  error === undefined ||
  error === "Unterminated string" ||
  /found end of file$|^Unterminated (?:array|inline table); /.test(error);

function refusal(text: string): string | undefined {
  try {
    Bun.TOML.parse(text);
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^TOML Parse error: /, "");
  }
}

/**
 * The line, from 1, where a key is given, in the table `name` (undefined: at the top), the `nth` of its name.
 * undefined where the text has it in a form that this does not find (a table in one line).
 */
export function lineOf(text: string, key: string, table?: { readonly name: string; readonly nth: number }) {
  // what is inside of long strings is no key; their lines stay
  const plain = text.replace(/("""|''')[^]*?\1/g, (long) => long.replace(/[^\n]+/g, ""));
  const named = new RegExp(`^\\s*["']?${RegExp.escape(key)}["']?\\s*[=.]`);
  let current: string | undefined;
  let count = -1;
  for (const [i, line] of plain.split("\n").entries()) {
    const header = /^\s*\[{1,2}\s*["']?([^\]"']+?)["']?\s*\]{1,2}/.exec(line)?.[1];
    if (header !== undefined) {
      current = header;
      if (current === table?.name) count++;
      if (table === undefined && (header === key || header.startsWith(`${key}.`))) return i + 1;
    } else if (current === table?.name && (table === undefined || count === table.nth) && named.test(line)) {
      return i + 1;
    }
  }
  return undefined;
}
