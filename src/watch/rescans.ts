import type { Origin } from "../event.ts";
import type { Target } from "./target.ts";
import type { Tree } from "./tree.ts";
import type { WatchSet } from "./watchset.ts";

/** How long events wait for one slice of it, in milliseconds. */
const SLICE = 10;
/** A periodic one takes a fifth of a processor: it pauses this many times as long as a slice took. */
const REST = 4;

type Kind = Extract<Origin, "gap" | "rescan">;

/** Looks at everything once more, one after another, in slices between which events are taken. */
export class Rescans {
  readonly #tree: Tree;
  readonly #watchSet: Pick<WatchSet, "invalidate">;
  readonly #look: (target: Target, origin: Kind) => void;
  #last: Promise<void> = Promise.resolve();
  /** Under way, or to come. */
  #count = 0;
  #isStopped = false;

  constructor(tree: Tree, watchSet: Pick<WatchSet, "invalidate">, look: (target: Target, origin: Kind) => void) {
    this.#tree = tree;
    this.#watchSet = watchSet;
    this.#look = look;
  }

  /**
   * Resolves when it was this one's turn and it has come to its end. A periodic one is left out while
   * another is under way.
   *
   * @param anew whether the watches are made anew, too
   */
  run(kind: Kind, anew = false): Promise<void> {
    if (kind === "rescan" && this.#count > 0) return this.#last;
    this.#count++;
    this.#last = this.#last.then(() => this.#run(kind, anew)).finally(() => this.#count--);
    return this.#last;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(kind: Kind, anew: boolean): Promise<void> {
    let begin = performance.now();
    for (const target of this.#tree) {
      if (this.#isStopped) return;
      if (anew) this.#watchSet.invalidate(target);
      this.#look(target, kind);
      const elapsed = performance.now() - begin;
      if (elapsed < SLICE) continue;
      await new Promise((resolve) => (kind === "gap" ? setImmediate(resolve) : setTimeout(resolve, REST * elapsed)));
      begin = performance.now();
    }
  }
}
