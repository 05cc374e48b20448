import { visibleWithTabs } from "../visible.ts";

/** Keys of a line that the first row tells, or that say nothing to somebody who reads along. */
const TOLD = new Set(
  "time seq prev hash level message host version action origin backend consumer file process processName user loginUser effectiveUser actors diff add del users access generic previous".split(
    " ",
  ),
);

const COLOURS: Readonly<Record<string, number>> = {
  created: 32,
  modified: 33,
  attributes: 36,
  moved: 36,
  deleted: 31,
  covered: 35,
  uncovered: 35,
  gap: 31,
  blind: 31,
};

/** Rows of a change that are shown; the rest is counted. */
const MAX_ROWS = 40;

/** Makes rows for people of lines of JSON. */
export function prettier(isColoured: boolean): (line: string) => string {
  const paint = (code: number | undefined, text: string) =>
    isColoured && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
  return (line) => {
    const value: unknown = JSON.parse(line);
    const fields = value as Readonly<Record<string, unknown>>;
    const text = (key: string) => (typeof fields[key] === "string" ? visibleWithTabs(fields[key]) : "");
    const action = text("action");
    const time = paint(2, text("time").slice(11, 19));
    const title = `${time} ${paint(COLOURS[action] ?? 2, action)}`;
    const file = text("file");
    if (file === "") return [[title, text("message"), ...who(fields)].join(" "), ...rest(fields)].join("\n");
    const previous = text("previous");
    const head = [title, paint(1, previous === "" ? file : `${previous} -> ${file}`), ...who(fields)].join(" ");
    const rows = changes(fields).map((row) => paint(row.startsWith("+") ? 32 : row.startsWith("-") ? 31 : 36, row));
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
export function changes(fields: Readonly<Record<string, unknown>>): string[] {
  const { diff, add, del, generic } = fields;
  if (typeof diff === "string") {
    const rows = diff.split("\n").slice(0, -1);
    return rows.filter((row) => !/^(?:---|\+\+\+) /.test(row)).map(visibleWithTabs);
  }
  const entries = (sign: string, value: unknown) =>
    (Array.isArray(value) ? value : rulesOf(value)).map((entry) => `${sign} ${visibleWithTabs(JSON.stringify(entry))}`);
  const told = [...entries("-", del), ...entries("+", add)];
  if (told.length > 0 || generic === undefined) return told;
  return [visibleWithTabs(JSON.stringify(generic))];
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
