import type { Paint, Style } from "../terminal.ts";
import { visibleWithTabs } from "../visible.ts";

/** Keys of a line that the first row tells, or that say nothing to somebody who reads along. */
const TOLD = new Set(
  "time seq prev hash level message host version action origin backend consumer file process processName user loginUser effectiveUser actors diff add del users access generic previous".split(
    " ",
  ),
);

const STYLES: Readonly<Record<string, Style>> = {
  created: "green",
  modified: "yellow",
  attributes: "cyan",
  moved: "cyan",
  deleted: "red",
  covered: "magenta",
  uncovered: "magenta",
  gap: "red",
  blind: "red",
};

/** Rows of a change that are shown; the rest is counted. */
const MAX_ROWS = 40;

/** Makes rows for people of lines of JSON. */
export function prettier(paint: Paint): (line: string) => string {
  return (line) => {
    const value: unknown = JSON.parse(line);
    const fields = value as Readonly<Record<string, unknown>>;
    const text = (key: string) => (typeof fields[key] === "string" ? visibleWithTabs(fields[key]) : "");
    const action = text("action");
    const time = paint("dim", text("time").slice(11, 19));
    const title = `${time} ${paint(STYLES[action] ?? "dim", action)}`;
    const file = text("file");
    if (file === "") return [[title, text("message"), ...who(fields)].join(" "), ...rest(fields)].join("\n");
    const previous = text("previous");
    const head = [title, paint("bold", previous === "" ? file : `${previous} -> ${file}`), ...who(fields)].join(" ");
    const rows = changes(fields, paint);
    const more = rows.length > MAX_ROWS ? [`… ${rows.length - MAX_ROWS} more`] : [];
    return [head, ...[...rows.slice(0, MAX_ROWS), ...more, ...rest(fields)].map((row) => `    ${row}`)].join("\n");
  };
}

/** `by useradd (232) as root`, with what differs from the user. */
function who(fields: Readonly<Record<string, unknown>>): string[] {
  const found = fields["origin"] ?? "live";
  const origin = found === "live" ? [] : [`(${visibleWithTabs(String(found))})`];
  const process = fields["process"] as { readonly pid?: number } | undefined;
  if (process === undefined) return origin;
  const name = visibleWithTabs(String(fields["processName"]));
  const login = fields["loginUser"];
  const user = visibleWithTabs(String(fields["user"]));
  const as =
    login === undefined || login === fields["user"] ? user : `${user} (logged in as ${visibleWithTabs(String(login))})`;
  return [...origin, `by ${name} (${process.pid}) as ${as}`];
}

/** What a line says was added and removed, a row each: the diff without the names of the files, or entries as JSON. */
export function changes(fields: Readonly<Record<string, unknown>>, paint: Paint): string[] {
  return rowsOf(fields).map((text) => {
    const row = visibleWithTabs(text);
    if (row.startsWith("+")) return paint("green", row);
    if (row.startsWith("-")) return paint("red", row);
    return row.startsWith("@@") ? paint("cyan", row) : row;
  });
}

function rowsOf({ diff, add, del, generic }: Readonly<Record<string, unknown>>): string[] {
  if (typeof diff === "string")
    return diff
      .replace(/^--- .*\n\+\+\+ .*\n/, "")
      .split("\n")
      .slice(0, -1);
  const entries = (sign: string, value: unknown) =>
    (Array.isArray(value) ? value : rulesOf(value)).map((entry) => `${sign} ${JSON.stringify(entry)}`);
  const told = [...entries("-", del), ...entries("+", add)];
  return told.length > 0 || generic === undefined ? told : [JSON.stringify(generic)];
}

/** Of access.conf, each as it is in the line. */
function rulesOf(value: unknown): readonly unknown[] {
  const { rules } = (value ?? {}) as { readonly rules?: unknown };
  return Array.isArray(rules) ? rules : [];
}

/** Notes, labels, and whatever else a line has. */
function rest(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields)
    .filter(([key]) => !TOLD.has(key))
    .map(([key, value]) => `${key}: ${visibleWithTabs(typeof value === "string" ? value : JSON.stringify(value))}`);
}
