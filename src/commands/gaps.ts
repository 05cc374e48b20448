import { now, rfc3339 } from "../sinks/line.ts";

/** Lost events within this time make one gap line, in milliseconds. */
const DELAY = 200;
/** After looking at everything, that is not done again for this many times as long as it took. */
const REST = 10;

/** What a gap line tells. */
export type Gap = {
  /** Events, where it is known how many. */
  readonly lost?: number;
  /** When it was last known that nothing had been lost; RFC 3339. */
  readonly since: string;
  /** When it was known that something had. */
  readonly until: string;
};

/**
 * Adds up what is lost within a short time.
 *
 * @param report says so, and looks at everything
 * @returns takes how many were lost, and since when that may have been going on (nanoseconds since the epoch)
 */
export function gapReporter(report: (gap: Gap) => Promise<void>): (lost: number | undefined, since: bigint) => void {
  let total: number | undefined;
  let from: bigint | undefined;
  let until = 0n;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReporting = false;
  let restUntil = 0;
  const schedule = () => {
    if (timer !== undefined || isReporting || from === undefined) return;
    timer = setTimeout(() => void run(), Math.max(DELAY, restUntil - performance.now()));
  };
  const run = async () => {
    const gap = { ...(total === undefined ? {} : { lost: total }), since: rfc3339(from!), until: rfc3339(until) };
    total = from = timer = undefined;
    isReporting = true;
    const begin = performance.now();
    await report(gap);
    restUntil = performance.now() + REST * (performance.now() - begin);
    isReporting = false;
    schedule();
  };
  return (lost, since) => {
    if (lost !== undefined) total = (total ?? 0) + lost;
    if (from === undefined || since < from) from = since;
    until = now();
    schedule();
  };
}
