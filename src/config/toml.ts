import { usage } from "../cli/args.ts";

export type Table = Readonly<Record<string, unknown>>;

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads TOML. A text that is none is a BpfinkError with status `usage` that names file and line. */
export function parseToml(text: string, file: string): Table {
  const error = refusal(text);
  if (error === undefined) return Bun.TOML.parse(text) as Table;
  // Bun's parser tells no line. What no continuation can mend begins after the longest beginning that parses.
  const lines = text.split("\n");
  let line = lines.length;
  while (line > 1 && refusal(lines.slice(0, line - 1).join("\n")) !== undefined) line--;
  throw usage(`${file} line ${line}: ${error.replace(/^TOML Parse error: /, "")}`, "see toml.io for how to write it");
}

function refusal(text: string): string | undefined {
  try {
    Bun.TOML.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
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
