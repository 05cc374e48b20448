import { toggle, type Values } from "../cli/args.ts";
import { command } from "../cli/command.ts";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { Labels } from "../labels/labels.ts";
import { log } from "../log.ts";
import { Monitor } from "../monitor.ts";
import { COMMON, JOURNAL, OUTPUT, SELECTION } from "../options.ts";
import { type ProgressBar, progressBar } from "../progress.ts";
import { UNLOGGED } from "../sinks/line.ts";
import { printLines } from "../sinks/stdout.ts";
import { NoSource } from "../source/none.ts";
import { comparison } from "../state/comparison.ts";
import { MEMORY } from "../state/open.ts";
import { type StateStore, Store } from "../state/store.ts";
import type { Counts } from "../watch/counts.ts";
import { lineFormat } from "./format.ts";
import { scopeOf } from "./scope.ts";
import { openStore } from "./store.ts";

const ARGS = {
  ...SELECTION,
  ...COMMON,
  ...JOURNAL,
  ...OUTPUT,
  update: toggle("take what is there now as the state from now on"),
} as const;

type CheckOptions = Values<typeof ARGS>;

export const check = command({
  name: "check",
  summary: "print what differs from the saved state",
  args: ARGS,
  examples: [
    ["bpfink check", "status 1 if anything differs; beside a watch, too"],
    ["bpfink check --update", "accept it; the log of the next bpfink tells of it"],
  ],
  run,
});

/** Lines read back from the journal at a time. */
const BATCH = 64;

/**
 * Compares everything once with the saved state, and prints the differences. Needs no root where the
 * files and the database can be read without, and may run beside a bpfink that watches.
 */
function run(options: CheckOptions): ExitStatus {
  if (options.database === MEMORY) {
    throw new BpfinkError(ExitStatus.usage, "nothing is saved in --database :memory:", "name a file");
  }
  const counts = options.update ? update(options) : compare(options);
  const { watched, missing, added, failed, changed } = counts;
  const news = added === 0 ? "" : `, ${added} not known before`;
  log.info(`${watched} looked at, ${missing} missing${news}, ${changed} ${options.update ? "accepted" : "differ"}`);
  if (changed > 0) return ExitStatus.differs;
  if (failed === 0) return ExitStatus.ok;
  throw new BpfinkError(
    ExitStatus.cannotWatch,
    `${failed} of the paths could not be looked at`,
    "see above; run it as root to read what only root may",
  );
}

/** The state stays as it is; the lines are not in the log, so they have no sequence number. */
function compare(options: CheckOptions): Counts {
  using store = Store.openReadOnly(options.database);
  using bar = progressBar("checking", store.size);
  const format = lineFormat(options);
  let failure: unknown;
  const print = (line: string) => {
    bar.clear();
    try {
      if (failure === undefined) printLines([format(line)]);
    } catch (error) {
      failure = error; // not the file's that was looked at
    }
  };
  const counts = lookAtAll(options, store, comparison(store, UNLOGGED, print), bar);
  if (failure !== undefined) throw failure;
  return counts;
}

/**
 * The lines stay in the journal as well, for the next bpfink that watches to print: its log tells of
 * what was accepted, too, and has every sequence number.
 */
function update(options: CheckOptions): Counts {
  using store = openStore(options);
  using bar = progressBar("checking", store.size);
  const format = lineFormat(options);
  let before: number | undefined;
  const noting: StateStore = {
    ...comparison(store, UNLOGGED, () => {}),
    forget: (path) => store.forget(path),
    baseline: (path, state) => store.baseline(path, state),
    record: (...changes) => {
      const entries = store.record(...changes);
      before ??= (entries[0]?.seq ?? 1) - 1;
      return entries;
    },
    transaction: (body) => store.transaction(body),
  };
  const counts = lookAtAll(options, store, noting, bar);
  bar.clear();
  for (let after = before; after !== undefined;) {
    const entries = store.undelivered(after, BATCH);
    printLines(entries.map(({ line }) => format(line)));
    after = entries.at(-1)?.seq;
  }
  return counts;
}

function lookAtAll(options: CheckOptions, known: Store, store: StateStore, bar: ProgressBar): Counts {
  const scope = scopeOf(options);
  const labels = new Labels(known.expectations, scope.root);
  const monitor = new Monitor({
    store,
    source: new NoSource(),
    ...scope,
    onLine: () => {},
    onLook: () => bar.step(),
    labels: (change) => labels.of(change, true),
  });
  return monitor.lookAtAll();
}
