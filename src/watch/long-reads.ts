import type { FileLook, Look } from "../consumers/consumer.ts";
import type { Origin } from "../event.ts";
import { mergeSightings, type Sighting } from "./attribution.ts";
import { beginLook } from "./look.ts";
import { Reading } from "./reading.ts";
import type { Target } from "./target.ts";

/** What is longer is read in turns, between which events are taken. Bytes; two milliseconds of hashing. */
export const AT_ONCE = 1 << 20;

/** One turn of one file: some 8 ms of hashing, in bytes. */
const TURN = 4 << 20;
/** Files that are read by turns, so many at a time; each keeps a descriptor open. */
const MAX_OPEN = 16;
/** A file that keeps changing is read from its beginning again and again for this long; then once to its end, in milliseconds. */
const PATIENCE = 30_000;

/** Why a file is read, which its look is judged by. */
export interface Purpose {
  readonly path: string;
  readonly contentLimit: number;
  readonly sightings: readonly Sighting[];
  readonly origin: Origin;
  /** What is not known yet is taken as it is. */
  readonly baseline: boolean;
  /** What it was when it was found to be long: it may go before its end is read. */
  readonly seen?: FileLook;
}

interface Job {
  purpose: Purpose;
  /** performance.now() of the first change that was not read to the end. */
  readonly since: number;
  /** The file changed, and is to be read once more. */
  again: boolean;
}

/**
 * Reads files that are too long to be read at once, by turns: an event that comes meanwhile waits for
 * one turn only. A file that changes while it is read is read from its beginning again.
 */
export class LongReads {
  readonly #waiting = new Map<Target, Job>();
  /** In order of their next turns. */
  readonly #open = new Map<Target, Job & { readonly reading: Reading }>();
  readonly #atOnce: number;
  readonly #done: (target: Target, purpose: Purpose, look: Look) => void;
  readonly #failed: (target: Target, error: unknown) => void;
  #immediate: ReturnType<typeof setImmediate> | undefined;

  /** @param atOnce what is longer is read by turns, in bytes */
  constructor(parts: {
    readonly atOnce: number;
    readonly done: (target: Target, purpose: Purpose, look: Look) => void;
    readonly failed: (target: Target, error: unknown) => void;
  }) {
    this.#atOnce = parts.atOnce;
    this.#done = parts.done;
    this.#failed = parts.failed;
  }

  /** Looks at a path. undefined: a long file, which is being read. "early": it will be, when it is quiet. */
  look(target: Target, purpose: Purpose, settled: boolean): Look | undefined | "early" {
    const found = beginLook(purpose.path, purpose.contentLimit);
    if (!(found instanceof Reading)) return found;
    using reading = found;
    const look = reading.read(this.#atOnce);
    if (look !== undefined) return look;
    if (!settled) return "early";
    this.begin(target, { ...purpose, seen: reading.unread });
    return undefined;
  }

  /** Reads a file, or reads it once more: what the read that was under way was for is not forgotten. */
  begin(target: Target, purpose: Purpose): void {
    const job = this.#open.get(target) ?? this.#waiting.get(target);
    const now = performance.now();
    const all = job === undefined ? purpose : merge(job.purpose, purpose);
    if (
      this.#open.has(target) &&
      job !== undefined &&
      now > job.since + PATIENCE &&
      job.purpose.path === purpose.path
    ) {
      job.purpose = all;
      job.again = true;
      return;
    }
    this.drop(target);
    this.#waiting.set(target, { purpose: all, since: job?.since ?? now, again: false });
    this.#schedule();
  }

  /** Gives up a read. Returns what it was for. */
  drop(target: Target): Purpose | undefined {
    const job = this.#open.get(target) ?? this.#waiting.get(target);
    this.#open.get(target)?.reading[Symbol.dispose]();
    this.#open.delete(target);
    this.#waiting.delete(target);
    return job?.purpose;
  }

  #schedule(): void {
    if (this.#waiting.size + this.#open.size === 0) return;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const [waiting] = this.#waiting;
    if (waiting !== undefined && this.#open.size < MAX_OPEN)
      return this.#attempt(waiting[0], () => this.#begun(...waiting));
    const [open] = this.#open;
    if (open !== undefined) this.#attempt(open[0], () => this.#goOn(...open));
  }

  #attempt(target: Target, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.drop(target);
      this.#failed(target, error);
    }
  }

  #begun(target: Target, job: Job): void {
    const found = beginLook(job.purpose.path, job.purpose.contentLimit);
    this.#waiting.delete(target);
    if (found instanceof Reading) this.#open.set(target, { ...job, reading: found });
    else this.#done(target, job.purpose, found);
  }

  #goOn(target: Target, job: Job & { readonly reading: Reading }): void {
    const look = job.reading.read(TURN);
    this.#open.delete(target);
    if (look === undefined) return void this.#open.set(target, job);
    const isTorn = job.reading.isTorn;
    job.reading[Symbol.dispose]();
    const { purpose, since, again } = job;
    if (isTorn && performance.now() <= since + PATIENCE)
      return void this.#waiting.set(target, { purpose, since, again });
    this.#done(target, purpose, look);
    if (job.again) this.begin(target, { ...purpose, baseline: false, sightings: named(purpose.sightings) });
  }
}

const named = (sightings: readonly Sighting[]) => sightings.map((sighting) => ({ ...sighting, reported: true }));

/** What is live stays so, and what was to be a baseline too. */
function merge(before: Purpose, after: Purpose): Purpose {
  return {
    ...after,
    sightings: mergeSightings(before.sightings, after.sightings),
    origin: before.origin === "live" ? "live" : after.origin,
    baseline: before.baseline || after.baseline,
  };
}
