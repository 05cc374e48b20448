import { changes } from "../sinks/pretty.ts";
import type { Paint } from "../terminal.ts";
import { visible } from "../visible.ts";

/** What `history` reads of a line. Lines of older versions may lack any of it. */
export interface HistoryLine {
  readonly time?: string;
  readonly level?: string;
  readonly message?: string;
  readonly action?: string;
  readonly file?: string;
  /** Where it was, if it was moved. */
  readonly previous?: string;
  readonly expected?: { readonly reason?: string; readonly by?: string };
  readonly process?: { readonly pid?: number };
  readonly processName?: string;
  readonly user?: string;
  readonly loginUser?: string;
  readonly effectiveUser?: string;
  readonly actors?: readonly Pick<HistoryLine, "user" | "loginUser" | "effectiveUser">[];
}

/** Widths of all columns but the last: a name of 15 bytes (comm) and a process id of 7 digits fit. */
const WIDTHS = [19, 10, 16, 23] as const;

export const HEADING = row(["TIME (UTC)", "ACTION", "USER", "PROCESS"], "FILE");

/** A line for people. */
export function historyRow(line: HistoryLine, paint: Paint): string {
  const { time = "", action = "", level, user = announcer(line) ?? "", loginUser, processName, process } = line;
  const login = loginUser === undefined || loginUser === user ? "" : ` (${loginUser})`;
  const name = processName === undefined ? "" : `${processName}[${process?.pid ?? "?"}]`;
  const cells = [time.slice(0, 19).replace("T", " "), action, user + login, name];
  const text = row(cells, subject(line));
  return level === "error" ? paint("red", text) : text;
}

/** Who announced changes, if that is what a line is about. */
export const announcer = ({ action, expected }: HistoryLine): string | undefined =>
  action === "expected" ? expected?.by : undefined;

function subject({ action, file, previous, message = "", expected }: HistoryLine): string {
  if (file !== undefined) return previous === undefined ? file : `${previous} -> ${file}`;
  return action === "expected" ? `${message}: ${expected?.reason}` : message;
}

/** What a line says was added and removed, each row with a newline; "" if it tells of nothing of the kind. */
export function historyDiff(line: object, paint: Paint): string {
  const rows = changes(line as Readonly<Record<string, unknown>>, paint);
  return rows.map((row) => `    ${row}\n`).join("");
}

function row(cells: readonly string[], last: string): string {
  return cells.map((cell, i) => visible(cell).padEnd(WIDTHS[i] ?? 0)).join("  ") + `  ${visible(last)}`;
}
