import { Canary } from "../canary.ts";
import { command } from "../cli/command.ts";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import { isRoot } from "../kernel/libc.ts";
import { dropPrivileges } from "../kernel/privileges.ts";
import { Labels } from "../labels/labels.ts";
import { log, setLogLevel } from "../log.ts";
import { count } from "../metrics.ts";
import { Monitor } from "../monitor.ts";
import { type Options, SETTINGS } from "../options.ts";
import { type ProgressBar, progressBar } from "../progress.ts";
import { type OwnAction, ownLine, senderKeys } from "../sinks/line.ts";
import { type Outbox, StdoutSink } from "../sinks/stdout.ts";
import { openSignals, openSource } from "../source/choose.ts";
import { SharedSource } from "../source/shared.ts";
import type { Source } from "../source/source.ts";
import { MEMORY } from "../state/open.ts";
import type { Recovery, Store } from "../state/store.ts";
import { QUIET } from "../watch/dispatch.ts";
import { MountWatch } from "../watch/mount-watch.ts";
import { userName } from "../watch/users.ts";
import { refuseForeignCode } from "./environment.ts";
import { lineFormat } from "./format.ts";
import { gapReporter } from "./gaps.ts";
import { type Scope, scopeOf } from "./scope.ts";
import { openStoreAnyway, recoveryMessage } from "./store.ts";
import { startTelemetry } from "./telemetry.ts";

/** How long the last lines may take to print when asked to stop, in milliseconds. */
const STOP_LIMIT = 600;
/** Lines are dropped when others are delivered; this is for when there are none. In milliseconds. */
const PRUNE_INTERVAL = 3_600_000;

/** Between two looks at the database's file, in milliseconds. */
const TEND_INTERVAL = 1000;

export const watch = command({
  name: "watch",
  summary: "watch until SIGINT or SIGTERM; one line of JSON a change on stdout",
  args: SETTINGS,
  essential: ["watch", "exclude", "root", "database", "config", "log-level", "backend", "graphite"],
  examples: [
    ["bpfink --watch /etc/shadow", "one file; its state is kept for the next start"],
    ["bpfink --watch /etc/ssh --database :memory:", "a directory and all below it; nothing is kept"],
    ["bpfink --watch '/etc/*.conf' | jq .diff", "a glob, quoted; the differences only"],
  ],
  run,
});

/** How often the database is asked for what `bpfink expect` wrote, in milliseconds. A line asks before it is made. */
const NEWS_INTERVAL = 1000;

/** Watches until SIGINT or SIGTERM, and reads its configuration again at SIGHUP. Resolves to the exit status. */
async function run(options: Options, _operands: readonly string[], reread: () => Options): Promise<ExitStatus> {
  if (!isRoot()) {
    throw new BpfinkError(
      ExitStatus.cannotWatch,
      "not root",
      "run it with sudo: watching needs CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN",
    );
  }
  refuseForeignCode(process.env);
  const scope = scopeOf(options);
  using stack = new DisposableStack();
  const { store, found } = openStoreAnyway(options);
  stack.defer(() => store.close());
  const source = stack.use(openSource(options.backend, options));
  const signals = openSignals();
  stack.defer(() => signals?.[Symbol.dispose]());
  dropPrivileges(); // before the source makes a thread
  const stop = Promise.withResolvers<Stop>();
  const fail = (what: string) => (error: Error) => {
    const isOurs = error instanceof BpfinkError;
    log.error(isOurs ? messageOf(error) : `${what}: ${messageOf(error)}`);
    stop.resolve({ status: isOurs ? error.status : ExitStatus.cannotWatch, details: {} });
  };
  // where it cannot be noted that a line was printed, it is printed again at the next start
  const outbox: Outbox = {
    undelivered: (afterSeq, limit) => store.undelivered(afterSeq, limit),
    delivered: (seq) => logged(() => store.delivered(seq)),
  };
  const sink = new StdoutSink(
    outbox,
    fail("stdout cannot be written, what is not printed stays in the database; connect it and start bpfink again"),
    lineFormat(options),
  );
  const onLine = () => void sink.pump();
  const shared = new SharedSource(source);
  const mounts = stack.use(new MountWatch((changes) => monitor.onMounts(changes)));
  const say: Say = (level, action, message, details) => {
    count(`log_level.${level}`);
    logged(() => store.append((seq) => ownLine({ seq, level, action, message, backend: source.backend, details })));
    onLine();
  };
  const announce = () => logged(() => announceExpected(store, say));
  const labels = new Labels(store.expectations, scope.root);
  let bar: ProgressBar | undefined;
  const monitorOf = (next: Scope) =>
    new Monitor({
      store,
      source: shared.share(),
      ...next,
      onLine,
      onLook: () => {
        mounts.check();
        bar?.step();
      },
      inTurns: true,
      labels: (change) => {
        announce();
        return labels.of(change);
      },
    });
  let monitor = monitorOf(scope);
  const gap = gapReporter((details) => {
    count("events.lost", details.lost ?? 1);
    say("error", "gap", "events lost, looking at everything", details);
    return monitor.rescan("gap");
  });
  let { redaction } = scope;
  const sent = (signal: NodeJS.Signals) => {
    const names = { userName, fingerprint: store.fingerprint, ...(redaction && { redaction }) };
    return { signal, ...senderKeys(signals?.take(signal), names) };
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
    process.on(signal, () => stop.resolve({ status: ExitStatus.ok, details: sent(signal) }));
  }
  const subjects = { watched: () => monitor.size, programs: () => source.programs?.() ?? [] };
  let telemetry = startTelemetry(options, subjects);
  stack.defer(() => telemetry[Symbol.dispose]());
  process.on("SIGHUP", () => {
    const by = sent("SIGHUP");
    const next = reloaded(options, reread);
    if (next === undefined) return;
    setLogLevel(next.options.logLevel);
    telemetry[Symbol.dispose]();
    telemetry = startTelemetry(next.options, subjects);
    // from here on events go to the new one, which has its watches before the old one gives up any
    const before = monitor;
    ({ redaction } = next.scope);
    monitor = monitorOf(next.scope);
    logged(() => {
      const { watched, missing, changed } = monitor.lookAtAll("rescan");
      say("info", "reloaded", "configuration reloaded", { watched, missing, changed, ...by });
      log.info(`configuration reloaded: ${watched} watched, ${missing} waited for`);
    });
    monitor.succeed(before);
  });

  const recovered = (recovery: Recovery) => {
    const { trouble, setAside, inMemory } = recovery;
    const message = recoveryMessage(recovery);
    log.error(message);
    say("error", "database", message, { database: options.database, trouble, setAside, inMemory });
  };
  if (found !== undefined) recovered(found);
  const tending = setInterval(() => {
    const recovery = store.tend();
    if (recovery === undefined) return;
    recovered(recovery);
    if (!recovery.isWhole) void monitor.rescan("gap");
  }, TEND_INTERVAL);
  stack.defer(() => clearInterval(tending));
  stack.defer(pruner(store));
  let canary: Canary | undefined;
  if (options.rescan > 0) {
    const timer = setInterval(() => void monitor.rescan("rescan"), options.rescan);
    stack.defer(() => clearInterval(timer));
  }
  source.start({
    onEvent: (event) => {
      if (canary?.takes(event) === true) return;
      monitor.onEvent(event);
      if (event.kind === "mount") mounts.expect();
    },
    onLost: gap,
    onBlind: (reason, remedy) => {
      log.error(`changes are not seen: ${reason}; ${remedy}`);
      say("error", "blind", `changes are not seen: ${reason}`, {});
    },
    onSeeing: (reason) => {
      say("info", "seeing", `over: ${reason}`, {});
      void monitor.rescan("gap");
    },
    onError: fail("the event source failed"),
  });
  announce();
  bar = progressBar("looking at", store.size);
  const { watched, missing, changed } = monitor.lookAtAll();
  bar.clear();
  bar = undefined;
  Bun.gc(true); // looking at very many files leaves so much that it would stay for long
  say("info", "started", "bpfink started", { watched, missing, changed, database: options.database });
  log.info(`${watched} watched, ${missing} waited for, ${changed} changed since the last run`);
  const news = stack.adopt(setInterval(announce, NEWS_INTERVAL), clearInterval);
  news.unref();
  canary = stack.adopt(
    startCanary(shared.share(), options, () => monitor.rescan("gap"), say),
    (started) => started?.[Symbol.dispose](),
  );

  const { status, details } = await stop.promise;
  await Bun.sleep(QUIET); // events on their way from the kernel
  monitor.stop();
  say("info", "stopped", "bpfink stopped", details);
  await Promise.race([sink.pump(), Bun.sleep(STOP_LIMIT)]);
  logged(() => reportUnprinted(store, options.database));
  return status;
}

/** Drops old lines now and once an hour, in steps between which events are taken. Returns what ends it. */
function pruner(store: Store): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const step = () => {
    let more = false;
    logged(() => (more = store.prune()));
    timer = setTimeout(step, more ? 10 : PRUNE_INTERVAL);
  };
  step();
  return () => clearTimeout(timer);
}

/** Why the watch ends, and what the last line says of it. */
interface Stop {
  readonly status: ExitStatus;
  readonly details: Record<string, unknown>;
}

type Say = (level: "info" | "error", action: OwnAction, message: string, details: Record<string, unknown>) => void;

/** Lines about what `bpfink expect` wrote into the database. */
function announceExpected(store: Store, say: Say): void {
  for (const { id, reason, by, paths, begins, until, ended } of store.expectations.news()) {
    const times = { from: new Date(begins).toISOString(), until: new Date(until).toISOString() };
    const message = ended ? "no more changes are expected" : "changes are expected";
    say("info", "expected", message, { expected: { reason, by, ...times, paths } });
    store.expectations.told(id); // after a crash between the two there are two lines, not none
  }
}

/** undefined where there is to be none, or no place for it. */
function startCanary(source: Source, options: Options, rescan: () => unknown, say: Say): Canary | undefined {
  if (options.canary === 0 || options.database === MEMORY) return undefined;
  const lookAgain = () => void rescan();
  try {
    return new Canary(source, `${options.database}-canary`, options.canary * 1000, {
      onBlind: (since, isNew) => {
        if (isNew) say("error", "blind", "no events come: changes are not seen", { silent: Math.round(since) / 1000 });
        lookAgain(); // so that changes are found late, and not never
      },
      onSeeing: (blind) => {
        say("info", "seeing", "events come again", { blind: Math.round(blind) / 1000 });
        lookAgain();
      },
    });
  } catch (error) {
    log.warn(`no canary, so nobody says when events cease to come: ${messageOf(error)}`);
    return undefined;
  }
}

/** Options of what is opened once and kept open, by the names that users know. */
const FIXED = [
  ["root", "root"],
  ["database", "database"],
  ["json", "json"],
  ["format", "format"],
  ["backend", "backend"],
  ["ring-size", "ringSize"],
  ["max-watches", "maxWatches"],
  ["keep", "keep"],
  ["keep-size", "keepSize"],
  ["chain-key", "chainKey"],
  ["canary", "canary"],
  ["rescan", "rescan"],
] as const satisfies readonly (readonly [keyof typeof SETTINGS, keyof Options])[];

/** The options as they are now; undefined, said in the log, if they cannot be used: the old ones stay. */
function reloaded(before: Options, reread: () => Options): { options: Options; scope: Scope } | undefined {
  try {
    const options = reread();
    for (const [name, key] of FIXED) {
      if (options[key] !== before[key]) log.warn(`${name} stays what it was until bpfink is started again`);
    }
    const { root, database } = before;
    return { options, scope: scopeOf({ ...options, root, database }) };
  } catch (error) {
    log.error(`not reloaded, the configuration stays what it was: ${messageOf(error)}`);
    return undefined;
  }
}

/** Does what may fail without ending the watch: the database's disk is full, say. */
function logged(work: () => void): void {
  try {
    work();
  } catch (error) {
    log.error(messageOf(error));
  }
}

function reportUnprinted(store: Store, database: string): void {
  if (store.undelivered(0, 1).length === 0) return;
  log.warn(
    database === MEMORY
      ? "stdout was not read: its last lines are lost with the database in memory"
      : "stdout was not read: what is not printed will be at the next start",
  );
}
