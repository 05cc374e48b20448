/**
 * What bpfink counts of itself, for src/sinks/graphite.ts. Counting is an addition in memory, so the
 * code that does the work may call it at every event. Names are parts of a metric's name, with dots.
 */

/** The newest latencies that are kept for percentiles. */
const SAMPLES = 1024;

const counts = new Map<string, number>();
const latencies = new Float64Array(SAMPLES);
let sampled = 0;

/** Adds to a counter. */
export function count(name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

/** Notes how long after the kernel saw a change its line was made, in milliseconds. */
export function noteLatency(milliseconds: number): void {
  latencies[sampled++ % SAMPLES] = milliseconds;
}

/** All counters since the start, by name. */
export const counters = (): ReadonlyMap<string, number> => counts;

/** Percentiles of the newest latencies, in milliseconds; empty before the first. */
export function latencyPercentiles(): Record<"p50" | "p95" | "p99" | "max", number> | undefined {
  const sorted = latencies.slice(0, Math.min(sampled, SAMPLES)).sort();
  if (sorted.length === 0) return undefined;
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
