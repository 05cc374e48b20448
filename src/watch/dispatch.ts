import type { ChangeKind, KernelEvent } from "../event.ts";
import { type Sighting, sight } from "./attribution.ts";
import type { Target } from "./target.ts";

/** Quiet time after which an unfinished change is looked at, in milliseconds: several ticks of the kernel's clock. */
export const QUIET = 20;
/** A writer that never pauses is looked at this often, in milliseconds. */
export const PATIENCE = 1000;

/** Time until a look is tried again that could not be recorded (disk full), in milliseconds. */
const RETRY = 5000;

/** What a look needs to know of its occasion. */
export interface Occasion {
  readonly sightings: readonly Sighting[];
  /**
   * Whether things have been quiet since the last event. Before that a missing file may be half of
   * a save (an editor that moves the old version away first), and is not to be reported yet.
   */
  readonly settled: boolean;
}

interface Pending {
  sightings: readonly Sighting[];
  /** performance.now() of the first event since the last look, and of the look to come. */
  first: number;
  due: number;
  settled: boolean;
}

/**
 * Whether an event says that what was begun is finished. A process that closes a file without having
 * written to it finishes nothing: somebody else may be at work, whose events are still to come.
 */
function isComplete(kind: ChangeKind, sightings: readonly Sighting[]): boolean {
  if (kind === "close") return sightings.some((sighting) => sighting.acted && !sighting.reported);
  return kind === "rename" || kind === "attributes";
}

/**
 * Decides when to look. Events collapse to one pending look per target, so memory is bounded by the
 * number of targets. A change that is complete (written and closed, renamed, attributes set) is
 * looked at at once; any other when things have been quiet. And once more when quiet after a look at once: hooks
 * fire before the change, or a moment before it can be seen by others.
 */
export class Dispatch {
  readonly #pending = new Map<Target, Pending>();
  readonly #look: (target: Target, occasion: Occasion) => boolean;
  #timer: ReturnType<typeof setTimeout> | ReturnType<typeof setImmediate> | undefined;
  #timerDue = Infinity;

  /** @param look looks at a target; returns whether it made a line */
  constructor(look: (target: Target, occasion: Occasion) => boolean) {
    this.#look = look;
  }

  /** Takes an event that may have changed the target. */
  note(target: Target, event: KernelEvent): void {
    const now = performance.now();
    const before = this.#pending.get(target);
    const pending: Pending = before ?? { sightings: [], first: now, due: now, settled: false };
    pending.sightings = sight(pending.sightings, event);
    const complete = isComplete(event.kind, pending.sightings);
    pending.settled = !complete;
    pending.due = complete ? now : Math.min(now + QUIET, pending.first + PATIENCE);
    this.#pending.set(target, pending);
    this.#schedule(pending.due);
  }

  /** Looks at a target later: what it found could not be kept. */
  postpone(target: Target, sightings: readonly Sighting[]): void {
    const now = performance.now();
    const pending = this.#pending.get(target) ?? { sightings, first: now, due: now + RETRY, settled: true };
    this.#pending.set(target, pending);
    this.#schedule(pending.due);
  }

  /** Forgets a target. */
  drop(target: Target): void {
    this.#pending.delete(target);
  }

  /** Looks at everything pending now, as if it were quiet: there is no later. */
  flush(): void {
    this.#cancel();
    for (const [target, { sightings }] of [...this.#pending]) {
      this.#pending.delete(target);
      this.#look(target, { sightings, settled: true });
    }
  }

  #run(): void {
    this.#timerDue = Infinity;
    const now = performance.now();
    for (const [target, pending] of [...this.#pending]) {
      if (pending.due <= now) this.#runOne(target, pending);
    }
    let next = Infinity;
    for (const pending of this.#pending.values()) next = Math.min(next, pending.due);
    this.#schedule(next);
  }

  #runOne(target: Target, pending: Pending): void {
    const { sightings, settled } = pending;
    if (settled) this.#pending.delete(target);
    const made = this.#look(target, { sightings, settled });
    if (settled) return;
    pending.settled = true;
    pending.first = performance.now();
    pending.due = pending.first + QUIET;
    if (made) pending.sightings = sightings.map((sighting) => ({ ...sighting, reported: true }));
  }

  #schedule(due: number): void {
    if (due >= this.#timerDue || due === Infinity) return;
    this.#cancel();
    this.#timerDue = due;
    const delay = due - performance.now();
    this.#timer = delay <= 0 ? setImmediate(() => this.#run()) : setTimeout(() => this.#run(), Math.ceil(delay));
  }

  #cancel(): void {
    clearTimeout(this.#timer as ReturnType<typeof setTimeout>);
    clearImmediate(this.#timer as ReturnType<typeof setImmediate>);
    this.#timerDue = Infinity;
  }
}
