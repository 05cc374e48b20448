import type { KernelEvent } from "../event.ts";
import type { Sighting } from "./attribution.ts";
import type { Target } from "./target.ts";

/** Time from a look at a hot file to the next, in milliseconds: doubled each time that nothing was found. */
const FIRST = 1000;
const LONGEST = 60_000;
/** A file that stays hot without a change is left to the periodic look at everything after this long, in milliseconds. */
const PATIENCE = 3_600_000;

interface Heat {
  /** Processes that wrote, or mapped the file to write, since it became hot. */
  readonly writers: Set<number | undefined>;
  closes: number;
  /** performance.now() of the last change that was found. */
  since: number;
  delay: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Files that can be written in silence: stores to a page that is dirty already are seen by no hook.
 * A file is hot if somebody had it open for writing, or mapped so, when it was looked at. Where the
 * kernel does not say that, it is hot from the first write to it, or the making of a shared mapping,
 * until as many writers have closed it as were seen: a mapping keeps its file open. Hot files are looked
 * at now and then.
 */
export class HotFiles {
  readonly #heat = new Map<Target, Heat>();
  readonly #look: (target: Target, sightings: readonly Sighting[]) => void;

  /** @param look looks at a target, and tells `looked` of it */
  constructor(look: (target: Target, sightings: readonly Sighting[]) => void) {
    this.#look = look;
  }

  /** Takes an event of the target's own. */
  note(target: Target, { kind, actor }: KernelEvent): void {
    const heat = this.#heat.get(target);
    if (kind === "write" || kind === "store" || kind === "dirty") {
      if (heat === undefined) this.#heat.set(target, begin(actor?.process.pid));
      else if (kind !== "dirty") heat.writers.add(actor?.process.pid);
    } else if (kind === "close" && heat !== undefined && ++heat.closes >= heat.writers.size) this.drop(target);
  }

  /**
   * A look has begun.
   *
   * @param isWritable whether the kernel says that somebody could write in silence then; undefined: not known
   */
  opened(target: Target, isWritable: boolean | undefined): void {
    if (isWritable === false) this.drop(target);
    if (isWritable === true && !this.#heat.has(target)) this.#heat.set(target, begin());
  }

  /** A look came to its end. Another will come if the file is hot. */
  looked(target: Target, sightings: readonly Sighting[], hasChanged: boolean): void {
    const heat = this.#heat.get(target);
    if (heat === undefined) return;
    clearTimeout(heat.timer);
    const now = performance.now();
    if (hasChanged) heat.since = now;
    else if (now > heat.since + PATIENCE) return this.drop(target);
    if (hasChanged) heat.delay = FIRST;
    // what is found then is the doing of those who were seen before
    const known = sightings.map((sighting) => ({ ...sighting, reported: true }));
    heat.timer = setTimeout(() => this.#look(target, known), heat.delay);
    heat.timer.unref();
    heat.delay = Math.min(2 * heat.delay, LONGEST);
  }

  drop(target: Target): void {
    clearTimeout(this.#heat.get(target)?.timer);
    this.#heat.delete(target);
  }
}

function begin(...writers: readonly (number | undefined)[]): Heat {
  return { writers: new Set(writers), closes: 0, since: performance.now(), delay: FIRST, timer: undefined };
}
