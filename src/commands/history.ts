import { choice, one, path, text, toggle } from "../cli/args.ts";
import { command } from "../cli/command.ts";
import { moment } from "../cli/moment.ts";
import { ExitStatus } from "../errors.ts";
import { COMMON, DEFAULT_DATABASE } from "../options.ts";
import { print } from "../print.ts";
import { JournalReader } from "../state/reader.ts";
import { isTerminal, paint } from "../terminal.ts";
import { announcer, HEADING, historyDiff, type HistoryLine, historyRow } from "./history-table.ts";

const ACTIONS = [
  ...["created", "modified", "deleted", "moved", "attributes", "covered", "uncovered"],
  ...["started", "stopped", "gap", "blind", "seeing", "expected", "reloaded", "database"],
] as const;

/** What is printed at a time, in characters. */
const CHUNK = 64 * 1024;

export const history = command({
  name: "history",
  summary: "show the changes that the database holds",
  args: {
    since: one(moment("TIME"), undefined, "2h, 7d (ago); 2026-11-01, 2026-11-01T12:00:00Z (UTC)"),
    until: one(moment("TIME"), undefined, "the same; what is later is left out"),
    path: one(path("PATH"), undefined, "a file, all below a directory, or a quoted glob"),
    user: one(text("NAME"), undefined, "who acted, or announced: real, effective or login user"),
    action: one(choice("ACTION", ACTIONS), undefined, "created, modified, deleted, attributes, gap, …"),
    diff: toggle("show the differences too"),
    json: toggle("lines as printed, as it is where stdout is no terminal"),
    database: one(path("FILE"), DEFAULT_DATABASE, `what keeps them (${DEFAULT_DATABASE})`),
    "log-level": COMMON["log-level"],
  },
  examples: [
    ["bpfink history --since 2h", "of the last two hours"],
    ["bpfink history --path /etc/ssh --diff", "below a directory, in full"],
    ["bpfink history --user carol --json | jq .file", "for other programs"],
  ],
  run: ({ since, until, database, json, diff, ...filters }) => {
    const matches = filter(filters);
    const isForPeople = !json && (diff || isTerminal());
    const colours = paint();
    const format = (line: string, value: HistoryLine) =>
      isForPeople ? `${historyRow(value, colours)}\n${diff ? historyDiff(value, colours) : ""}` : `${line}\n`;
    using journal = new JournalReader(database);
    let chunk = isForPeople ? `${HEADING}\n` : "";
    for (const line of journal.between(since ?? "", until ?? "9999")) {
      const value = JSON.parse(line) as HistoryLine;
      if (matches(value)) chunk += format(line, value);
      if (chunk.length < CHUNK) continue;
      print(chunk);
      chunk = "";
    }
    print(chunk);
    return ExitStatus.ok;
  },
});

/** Whether a line is asked for. */
export function filter(wanted: {
  readonly path: string | undefined;
  readonly user: string | undefined;
  readonly action: string | undefined;
}): (line: HistoryLine) => boolean {
  const { path, user, action } = wanted;
  const glob = path !== undefined && /[*?[\]{}]/.test(path) ? new Bun.Glob(path) : undefined;
  const isPath = (file: string) =>
    file === path || file.startsWith(path === "/" ? "/" : `${path}/`) || glob?.match(file);
  const isUser = (who: NonNullable<HistoryLine["actors"]>[number]) =>
    who.user === user || who.loginUser === user || who.effectiveUser === user;
  return (line) =>
    (action === undefined || line.action === action) &&
    (path === undefined || [line.file, line.previous].some((file) => file !== undefined && isPath(file) === true)) &&
    (user === undefined || [line, ...(line.actors ?? [])].some(isUser) || announcer(line) === user);
}
