import { duration, one, path, text, toggle, type Values } from "../cli/args.ts";
import { command } from "../cli/command.ts";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { log } from "../log.ts";
import { COMMON } from "../options.ts";
import { printLines } from "../sinks/stdout.ts";
import { readProcess } from "../source/process.ts";
import { type Expectation, Expectations } from "../state/expectations.ts";
import { MEMORY } from "../state/open.ts";
import { userName } from "../watch/users.ts";
import { toJson, visible } from "../visible.ts";

const ARGS = {
  for: one(duration("TIME", 1000), undefined, "how long, from now on: 90s, 10m, 1h"),
  reason: one(text("TEXT"), undefined, "why; every line about such a change has it"),
  list: toggle("print what is expected now"),
  end: toggle("end all that is expected now"),
  database: COMMON.database,
  "log-level": COMMON["log-level"],
} as const;

export const expect = command({
  name: "expect",
  summary: "announce changes: lines about them are labelled",
  args: ARGS,
  operands: {
    hint: "PATH",
    min: 0,
    max: Infinity,
    description: "a path and all below it, or a quoted glob; else everywhere",
  },
  examples: [['bpfink expect --for 10m --reason "deploy 42" /srv/app', "not hidden: labelled"]],
  run,
});

const absolute = path("PATH");

/** Longer reasons would make every line long. */
const REASON_LIMIT = 200;

/** Tells the bpfink that watches with this database what changes are to come; it labels them. */
function run(options: Values<typeof ARGS>, operands: readonly string[]): ExitStatus {
  const { database, reason, list, end } = options;
  const paths = operands.map((operand) => absolute.parse(operand, { name: "PATH", cwd: process.cwd() }));
  if (database === MEMORY) throw usage("a database in memory is its own process's alone", "name a file");
  if (list || end) {
    if (list === end || paths.length > 0 || options.for !== undefined || reason !== undefined) {
      throw usage("--list and --end stand alone", "leave out everything else but --database");
    }
    using expectations = Expectations.open(database);
    if (list) printLines(expectations.at(Date.now()).map(describe));
    else log.info(`${expectations.end(Date.now())} ended`);
    return ExitStatus.ok;
  }
  if (options.for === undefined) throw usage("--for is missing", "say how long: --for 10m");
  if (reason === undefined) throw usage("--reason is missing", 'say why, for the log: --reason "deploy 42"');
  if (reason.length > REASON_LIMIT) throw usage(`--reason is longer than ${REASON_LIMIT} characters`, "be brief");
  const begins = Date.now();
  const expectation: Expectation = { reason, by: whoAsks(), paths, begins, until: begins + options.for };
  using expectations = Expectations.open(database);
  expectations.add(expectation);
  log.info(`expected: ${describe(expectation)}`);
  return ExitStatus.ok;
}

/** The user of the login, whatever became of him; else the real one. */
function whoAsks(): string {
  const actor = readProcess(process.pid);
  return userName(actor?.loginuid ?? actor?.uid ?? process.getuid?.() ?? 0);
}

function describe({ reason, by, until, paths }: Expectation): string {
  const where = paths.length === 0 ? "everything" : paths.join(" ");
  return `${new Date(until).toISOString()}  ${by}  ${toJson(reason)}  ${visible(where)}`;
}

function usage(message: string, hint: string): BpfinkError {
  return new BpfinkError(ExitStatus.usage, message, hint);
}
