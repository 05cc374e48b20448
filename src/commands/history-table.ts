import type { Paint } from "../cli/terminal.ts";
import { visible, visibleWithTabs } from "../visible.ts";

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
  readonly diff?: string;
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

/** The diff of a line, each of its lines with a newline; "" if it has none. */
export function historyDiff({ diff }: HistoryLine, paint: Paint): string {
  if (diff === undefined || diff === "") return "";
  const lines = diff.replace(/\n$/, "").split("\n");
  return lines.map((line, i) => `    ${painted(line, i, paint)}\n`).join("");
}

function painted(line: string, number: number, paint: Paint): string {
  const text = visibleWithTabs(line);
  if (number < 2) return text; // the names of the files
  if (line.startsWith("+")) return paint("green", text);
  if (line.startsWith("-")) return paint("red", text);
  return line.startsWith("@@") ? paint("cyan", text) : text;
}

function row(cells: readonly string[], last: string): string {
  return cells.map((cell, i) => visible(cell).padEnd(WIDTHS[i] ?? 0)).join("  ") + `  ${visible(last)}`;
}
