import { command } from "../cli/command.ts";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import { holdKernelTypes } from "../kernel/load.ts";
import { dropPrivileges } from "../kernel/privileges.ts";
import { HeldChanges } from "../labels/held.ts";
import { Labels } from "../labels/labels.ts";
import { log } from "../log.ts";
import { count } from "../metrics.ts";
import { Monitor } from "../monitor.ts";
import { type Options, SETTINGS } from "../options.ts";
import { type ProgressBar, progressBar } from "../progress.ts";
import { ownLine, senderKeys } from "../sinks/line.ts";
import { endTornLine, type Outbox, StdoutSink } from "../sinks/stdout.ts";
import { openSignals, openSource } from "../source/choose.ts";
import { DetachWatch } from "../source/detached.ts";
import { SharedSource } from "../source/shared.ts";
import type { SourceHandlers } from "../source/source.ts";
import { MEMORY } from "../state/open.ts";
import type { Recovery, Store } from "../state/store.ts";
import { QUIET } from "../watch/dispatch.ts";
import { MountWatch } from "../watch/mount-watch.ts";
import { userName } from "../watch/users.ts";
import { Adjustable, logged, type Say } from "./adjust.ts";
import { refuseForeignCode, requireRoot, requireStdout } from "./environment.ts";
import { gapReporter } from "./gaps.ts";
import { reloaded } from "./reload.ts";
import { Rest } from "./rest.ts";
import { type Scope, scopeOf } from "./scope.ts";
import { openStoreAnyway, recoveryMessage } from "./store.ts";

/** How long the last lines may take to print when asked to stop, in milliseconds. */
const STOP_LIMIT = 600;

/** Between two looks at the database's file, and at the BPF programs, in milliseconds. */
const TEND_INTERVAL = 1000;

export const watch = command({
  name: "watch",
  summary: "watch until SIGINT or SIGTERM; JSON lines on stdout",
  args: SETTINGS,
  essential: ["watch", "exclude", "database", "config", "log-level", "backend"],
  examples: [
    ["bpfink --watch /etc/shadow", "one file; its state is kept"],
    ["bpfink --watch /etc/ssh --database :memory:", "a tree; nothing is kept"],
    ["bpfink --watch '/etc/*.conf' | jq .diff", "a glob, quoted; differences only"],
  ],
  run,
});

/** How often the database is asked for what `bpfink expect` wrote, in milliseconds. A line asks before it is made. */
const NEWS_INTERVAL = 1000;

/** Watches until SIGINT or SIGTERM, and reads its configuration again at SIGHUP. Resolves to the exit status. */
async function run(options: Options, _operands: readonly string[], reread: () => Options): Promise<ExitStatus> {
  // first, as it would end the process; it runs when everything is there
  process.on("SIGHUP", () => reload());
  requireRoot();
  requireStdout();
  refuseForeignCode(process.env);
  const scope = scopeOf(options);
  using stack = new DisposableStack();
  const { store, found } = openStoreAnyway(options);
  stack.defer(() => store.close());
  const { source, signals } = openKernel(options, stack);
  dropPrivileges(); // before the source makes a thread
  const stop = Promise.withResolvers<Stop>();
  const fail = (what: string) => (error: Error) => {
    const isOurs = error instanceof BpfinkError;
    log.error(isOurs ? messageOf(error) : `${what}: ${messageOf(error)}`);
    stop.resolve({ status: isOurs ? error.status : ExitStatus.cannotWatch, details: {} });
  };
  // Where it cannot be noted that a line was printed, it is printed again at the next start. What cannot be read waits
  // for tend(), which makes the database anew.
  const outbox: Outbox = {
    undelivered: (afterSeq, limit) => logged(() => store.undelivered(afterSeq, limit)) ?? [],
    delivered: (seq) => logged(() => store.delivered(seq)),
  };
  endTornLine();
  const sink = new StdoutSink(
    outbox,
    fail("stdout cannot be written, what is not printed stays in the database; connect it and start bpfink again"),
    (line) => adjustable.format(line),
  );
  const onLine = () => void sink.pump();
  const shared = new SharedSource(source);
  const mounts = stack.use(new MountWatch((changes) => monitor.onMounts(changes)));
  const say: Say = (level, action, message, details) => {
    count(`log_level.${level}`);
    const { backend } = source;
    const append = () => store.append((seq) => ownLine({ seq, level, action, message, backend, details }));
    logged(() => unlessBroken(append, tend));
    onLine();
  };
  const recovered = (recovery: Recovery) => {
    const { trouble, setAside, inMemory } = recovery;
    const message = recoveryMessage(recovery);
    log.error(message);
    say("error", "database", message, { database: options.database, trouble, setAside, inMemory });
  };
  let isWatching = false;
  /** Looks after the database. Returns whether it was made anew. */
  const tend = (): boolean => {
    const recovery = store.tend();
    if (recovery === undefined) return false;
    recovered(recovery);
    // as at the first start: where nothing is known, what is there is the baseline
    if (!recovery.isWhole && isWatching) logged(() => monitor.lookAtAll());
    return true;
  };
  const announce = () => logged(() => announceExpected(store, say));
  const labels = new Labels(store.expectations, scope.root);
  const held = new HeldChanges(onLine);
  const rest = stack.use(new Rest());
  let bar: ProgressBar | undefined;
  const monitorOf = (next: Scope) =>
    new Monitor({
      store,
      source: shared.share(),
      ...next,
      onLine,
      checkMounts: () => mounts.check(),
      onLook: () => {
        bar?.step();
        rest.note();
      },
      inTurns: true,
      labels: (change, waited) => {
        announce();
        return labels.of(change, waited);
      },
      held,
    });
  let monitor = monitorOf(scope);
  const exclude = ({ selection }: Scope) => source.excludeNames?.(selection.exclusions.rules);
  exclude(scope);
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
  const parts = { store, source: shared.share(), subjects, say };
  const adjustable = stack.use(
    new Adjustable(options, { ...parts, rescan: (origin, anew) => monitor.rescan(origin, anew) }),
  );
  let current = options;
  const reload = () => {
    const by = sent("SIGHUP");
    const next = reloaded(current, reread);
    if (next === undefined) return;
    current = next.options;
    adjustable.apply(current);
    // from here on events go to the new one, which has its watches before the old one gives up any
    const before = monitor;
    source.excludeNames?.([]); // until all directories have the scopes of the new one's
    ({ redaction } = next.scope);
    monitor = monitorOf(next.scope);
    logged(() => {
      const { watched, missing, changed } = monitor.lookAtAll("rescan");
      say("info", "reloaded", "configuration reloaded", { watched, missing, changed, ...by });
      log.info(`configuration reloaded: ${watched} watched, ${missing} waited for`);
    });
    // the line that tells of it is the last one with the old key
    if (next.chainKey !== undefined) store.rekey(next.chainKey.key);
    monitor.succeed(before);
    exclude(next.scope);
  };

  if (found !== undefined) recovered(found);
  const sight: Pick<SourceHandlers, "onBlind" | "onSeeing"> = {
    onBlind: (reason, remedy) => {
      log.error(`changes are not seen: ${reason}; ${remedy}`);
      say("error", "blind", `changes are not seen: ${reason}`, {});
    },
    onSeeing: (reason) => {
      say("info", "seeing", `over: ${reason}`, {});
      void monitor.rescan("gap");
    },
  };
  const programs = new DetachWatch(sight);
  stack.adopt(setInterval(tend, TEND_INTERVAL), clearInterval);
  stack.adopt(
    setInterval(() => programs.check(), TEND_INTERVAL),
    clearInterval,
  );
  source.start({
    onEvent: (event) => {
      if (adjustable.takes(event)) return;
      monitor.onEvent(event);
      if (event.kind === "mount") mounts.expect();
    },
    onLost: gap,
    ...sight,
    onError: fail("the event source failed"),
  });
  announce();
  const lookAtAll = () => {
    using shown = progressBar("looking at", store.size);
    bar = shown;
    return monitor.lookAtAll();
  };
  const { watched, missing, changed } = unlessBroken(lookAtAll, tend);
  bar = undefined;
  isWatching = true;
  say("info", "started", "bpfink started", { watched, missing, changed, database: options.database });
  log.info(`${watched} watched, ${missing} waited for, ${changed} changed since the last run`);
  if (watched + missing === 0) log.warn("nothing is watched: --exclude leaves out all that there is to watch");
  const news = stack.adopt(setInterval(announce, NEWS_INTERVAL), clearInterval);
  news.unref();
  adjustable.startCanary();

  const { status, details } = await stop.promise;
  await Bun.sleep(QUIET); // events on their way from the kernel
  monitor.stop();
  say("info", "stopped", "bpfink stopped", details);
  await Promise.race([sink.pump(), Bun.sleep(STOP_LIMIT)]);
  logged(() => reportUnprinted(store, options.database));
  return status;
}

/** What tells of changes, and of signals. Both are disposed of with the stack. */
function openKernel(options: Options, stack: DisposableStack) {
  using _ = holdKernelTypes();
  const source = stack.use(openSource(options.backend, options));
  const signals = stack.use(openSignals());
  return { source, signals };
}

/** Why the watch ends, and what the last line says of it. */
interface Stop {
  readonly status: ExitStatus;
  readonly details: Record<string, unknown>;
}

/** Lines about what `bpfink expect` wrote into the database. */
function announceExpected(store: Store, say: Say): void {
  for (const { id, reason, by, paths, begins, until, ended } of store.expectations.news()) {
    const times = { from: new Date(begins).toISOString(), until: new Date(until).toISOString() };
    const message = ended ? "no more changes are expected" : "changes are expected";
    say("info", "expected", message, { expected: { reason, by, ...times, paths } });
    store.expectations.told(id); // after a crash between the two there are two lines, not none
  }
}

/** Does it a second time where the first one found the database broken, and that could be mended. */
function unlessBroken<T>(work: () => T, mend: () => boolean): T {
  try {
    return work();
  } catch (error) {
    if (!mend()) throw error;
    return work();
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
