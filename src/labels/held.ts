import type { State } from "../consumers/consumer.ts";
import { messageOf } from "../errors.ts";
import { log } from "../log.ts";
import { placeOf } from "./rpm.ts";

/** Time until the label of what is held is asked for, in milliseconds; each further one comes after twice the time. */
const FIRST = 250;
/** How often it is looked whose turn that is, in milliseconds. */
const TICK = 50;
/**
 * What is held is told as it is after this time, in milliseconds. rpm notes a package when all its files
 * are in place. 4.18 unpacks all of them before it renames one after the other, which takes no time; where
 * it unpacks between two, as it did before, a package of a gigabyte takes about as long.
 */
const LIMIT = 10_000;
/** Where a line cannot be recorded (disk full) that is tried again after this time, in milliseconds. */
const RETRY = 5000;
/** More than this are not held: one is told for each that comes. */
const MAX_HELD = 4096;
/** Events are taken in between after this time, in milliseconds. */
const SLICE = 10;

/**
 * When a line is to be made. `known`: if all of its label is known; `now`: with what is known for certain;
 * `waited`: what is not known now will not be.
 */
export type Moment = "known" | "now" | "waited";

/** A change that was found, and of which a line is to be made when its label is known. */
export interface Change {
  /** What the path is known as when there is a line of it. */
  readonly state: State;
  /** Makes the line. Returns whether it did. */
  readonly tell: (moment: Moment) => boolean;
}

interface Held extends Change {
  /** performance.now(): it is told then. */
  readonly until: number;
  /** performance.now(): its label is asked for then. */
  readonly due: number;
  readonly delay: number;
}

/**
 * Changes that were found and wait for their label. Nothing of them depends on what comes after: each
 * is told as it was found, and before the next change of its path.
 */
export class HeldChanges {
  readonly #held = new Map<string, Held>();
  readonly #onLine: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onLine called when there are new lines */
  constructor(onLine: () => void) {
    this.#onLine = onLine;
  }

  /** Of what is held for a path. */
  state(path: string): State | undefined {
    return this.#held.get(path)?.state;
  }

  /** Holds a change until its label is known, or for as long as it can take. */
  hold(path: string, change: Change): void {
    const now = performance.now();
    this.#held.set(path, { ...change, until: now + LIMIT, due: now + FIRST, delay: FIRST });
    const [first] = this.#held.keys();
    if (this.#held.size > MAX_HELD && first !== undefined) this.#attempt(first, "now");
    this.#schedule();
  }

  /** Tells now what is held for a path. Throws if it cannot be recorded; it is held on then. */
  release(path: string): void {
    this.#held.get(path)?.tell("now");
    if (this.#held.delete(path)) this.#onLine();
  }

  /** Gives up what is held for a path from which something went to its place: it is told there. Returns whether it was so. */
  supersede(path: string, place: string | undefined): boolean {
    return place !== undefined && place === placeOf(path) && this.#held.delete(path);
  }

  /** Tells all that is held: there is no later. */
  releaseAll(): void {
    for (const path of [...this.#held.keys()]) this.#attempt(path, "now");
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    const now = performance.now();
    for (const [path, { due, until }] of [...this.#held]) {
      if (performance.now() > now + SLICE) return this.#schedule(1);
      if (due <= now) this.#attempt(path, now >= until ? "waited" : "known");
    }
    this.#schedule();
  }

  #attempt(path: string, moment: Moment): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#held.delete(path);
    try {
      if (held.tell(moment)) return this.#onLine();
      const delay = 2 * held.delay;
      this.#held.set(path, { ...held, delay, due: Math.min(performance.now() + delay, held.until) });
    } catch (error) {
      log.error(`the change of ${path} cannot be recorded: ${messageOf(error)}`);
      this.#held.set(path, { ...held, due: performance.now() + RETRY });
    }
  }

  #schedule(delay = TICK): void {
    if (this.#held.size === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, delay);
  }
}
