import type { Metrics } from "./graphite.ts";

/** What names are made of. */
export interface Identity {
  readonly host: string;
  /** What hosts are grouped by; empty: not known. */
  readonly role: string;
  /** Before every name; empty: nothing. */
  readonly prefix: string;
  readonly version: string;
}

/**
 * One part of a metric's name, as bookingcom/bpfink writes it: lower case, and an underscore (or the
 * hyphen that it was) for any run of characters that are neither letters nor digits. Never empty: a part that
 * is missing would put the metric elsewhere.
 */
export function cleanPart(text: string): string {
  let wasOther = false;
  let clean = "";
  for (const character of text.toLowerCase()) {
    const isOther = !/[\p{L}\p{Nd}]/u.test(character);
    if (!isOther) clean += character;
    else if (!wasOther) clean += character === "-" ? "-" : "_";
    wasOther = isOther;
  }
  return clean.replace(/^_+|_+$/g, "") || "unknown";
}

/** bookingcom/bpfink's name of a host's metric: PREFIX, then BEFORE.by_role.ROLE.HOST.AFTER. */
function hostMetric({ role, host, prefix }: Identity, before: string, after: string): string {
  const name = `${before}.by_role.${role === "" ? "unknown_role" : cleanPart(role)}.${cleanPart(host)}.${after}`;
  const clean = prefix
    .split(".")
    .filter((part) => part !== "")
    // as it was given, which is what bookingcom/bpfink does, but for what would end the name
    .map((part) => part.replace(/[\p{C}\p{Z}/;]+/gu, "_"));
  return [...clean, name].join(".");
}

/**
 * Its client (cyberdelia/go-metrics-graphite 39f87cc3b432, graphite.go) puts behind the name of a gauge `.value`, and
 * of a counter `.count`, which is all since the start, and `.count_ps`, which is that by the seconds between two
 * sendings. The bare name, which its documentation has, is sent as well.
 */
const gauge = (name: string, value: number): Metrics => ({ [name]: value, [`${name}.value`]: value });
const counter = (name: string, value: number, interval: number): Metrics => ({
  [name]: value,
  [`${name}.count`]: value,
  [`${name}.count_ps`]: Math.round((value / interval) * 100) / 100,
});

/** That bpfink is there: a one to sum up over hosts, and its version without the dots. */
export function installedMetrics(identity: Identity): Metrics {
  return {
    ...gauge(hostMetric(identity, "installed", "count.hourly"), 1),
    ...gauge(hostMetric(identity, "installed", "version.hourly"), Number(identity.version.replace(/\D/g, ""))),
  };
}

/** What is counted or measured at present: src/metrics.ts names it. */
export interface Measured {
  /** Seconds between two sendings. */
  readonly interval: number;
  readonly counters: ReadonlyMap<string, number>;
  readonly gauges: Readonly<Record<string, number>>;
  /** Of each BPF program: how often the kernel ran it (where it counts) and how often it skipped it. */
  readonly programs: readonly { readonly name: string; readonly hits: number; readonly misses: number }[];
}

/** bookingcom/bpfink's names where it has one, `bpfink.by_role.ROLE.HOST.…` for the rest. */
export function minutelyMetrics(identity: Identity, { interval, counters, gauges, programs }: Measured): Metrics {
  const all: Record<string, number> = {};
  for (const level of ["debug", "info", "warn", "error"]) {
    const value = counters.get(`log_level.${level}`);
    if (value === undefined) continue;
    Object.assign(all, counter(hostMetric(identity, `log_level.${level}`, "count.minutely"), value, interval));
  }
  const events = counters.get("events.seen") ?? 0;
  Object.assign(all, counter(hostMetric(identity, "bpf.events_caught", "count.minutely"), events, interval));
  for (const { name, hits, misses } of programs) {
    const part = cleanPart(name);
    const total = hits + misses;
    // as there: nothing ran, so nothing was missed
    Object.assign(
      all,
      gauge(hostMetric(identity, "bpf", `${part}.kprobe.hit_rate.minutely`), total === 0 ? 1 : hits / total),
      gauge(hostMetric(identity, "bpf", `${part}.kprobe.miss_rate.minutely`), total === 0 ? 0 : misses / total),
    );
  }
  for (const [name, value] of [...counters, ...Object.entries(gauges)]) {
    if (!name.startsWith("log_level.")) all[hostMetric(identity, "bpfink", name)] = value;
  }
  return all;
}
