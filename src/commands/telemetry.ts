import { statSync } from "node:fs";
import { hostname } from "node:os";
import { version } from "../../package.json";
import { log } from "../log.ts";
import { counters, latencyPercentiles } from "../metrics.ts";
import type { Options } from "../options.ts";
import { GraphiteSink, type Metrics } from "../sinks/graphite.ts";
import { type Identity, installedMetrics, type Measured, minutelyMetrics } from "../sinks/metric-names.ts";
import { MEMORY } from "../state/open.ts";

/** How often what hardly changes is sent, in milliseconds; bookingcom/bpfink's. */
const HOURLY = 30 * 60_000;

/** What only the watch knows. */
export interface Subjects {
  /** Paths where something is. */
  readonly watched: () => number;
  readonly programs: () => Measured["programs"];
}

/** Sends metrics, or prints them on stderr, until it is disposed of. Without --graphite: nothing. */
export function startTelemetry(options: Options, subjects: Subjects): Disposable {
  const { graphite } = options;
  if (graphite === undefined) return { [Symbol.dispose]: () => {} };
  const identity: Identity = { host: hostname(), role: options.role, prefix: options.graphitePrefix, version };
  const sink = graphite === "-" ? undefined : new GraphiteSink(graphite);
  let failure: string | undefined;
  const deliver = async (metrics: Metrics) => {
    if (sink === undefined) {
      for (const [name, value] of Object.entries(metrics)) log.info(`metric ${name} ${value}`);
      return;
    }
    const before = failure;
    failure = await sink.send(metrics);
    if (failure !== undefined && before === undefined) log.warn(`metrics are not taken by Graphite: ${failure}`);
    if (failure === undefined && before !== undefined) log.info("metrics are taken by Graphite again");
  };
  let hourlySent = Number.NEGATIVE_INFINITY;
  const send = async () => {
    const isHour = performance.now() >= hourlySent + HOURLY;
    await deliver({
      ...(isHour ? installedMetrics(identity) : {}),
      ...minutelyMetrics(identity, measure(options, subjects)),
    });
    if (isHour && failure === undefined) hourlySent = performance.now();
  };
  const timer = setInterval(() => void send(), options.graphiteInterval);
  void send();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      sink?.[Symbol.dispose]();
    },
  };
}

/** Sent from the start, so that a graph begins at zero and not at the first event. */
const FROM_ZERO = ["events.seen", "events.collapsed", "events.lost", "looks"].concat(
  ["users", "access", "diff", "generic"].map((consumer) => `changes.${consumer}`),
);

function measure({ database, graphiteInterval }: Options, { watched, programs }: Subjects): Measured {
  const latency = latencyPercentiles();
  return {
    interval: graphiteInterval / 1000,
    counters: new Map([...FROM_ZERO.map((name) => [name, 0] as const), ...counters()]),
    gauges: {
      watched_files: watched(),
      "memory.rss_bytes": process.memoryUsage().rss,
      "database.bytes": database === MEMORY ? 0 : sizeOf(database) + sizeOf(`${database}-wal`),
      ...Object.fromEntries(Object.entries(latency ?? {}).map(([name, value]) => [`latency.${name}_ms`, value])),
    },
    programs: since(programs()),
  };
}

/** What each program counted at the last sending. */
const before = new Map<string, { readonly hits: number; readonly misses: number }>();

/** What came to the counts since the last time. */
function since(programs: Measured["programs"]): Measured["programs"] {
  return programs.map(({ name, hits, misses }) => {
    const last = before.get(name) ?? { hits: 0, misses: 0 };
    before.set(name, { hits, misses });
    return { name, hits: hits - last.hits, misses: misses - last.misses };
  });
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
