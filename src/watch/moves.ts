import { joinPath } from "../paths.ts";
import type { WatchSet } from "./watchset.ts";
import type { KernelEvent } from "../event.ts";
import type { Target } from "./target.ts";

/**
 * Targets that a rename took from their place, and where to, until a look finds what became of it:
 * an editor that moves the old version away and writes a new one has moved nothing.
 */
export class Moves {
  /** The new path, undefined where it is not known. */
  readonly #departures = new Map<Target, string | undefined>();
  readonly #arrivals = new Map<string, Target>();

  /** @param to as the user sees it; undefined when it is in a directory that nobody knows */
  depart(target: Target, to: string | undefined): void {
    this.settle(target);
    this.#departures.set(target, to);
    if (to !== undefined) this.#arrivals.set(to, target);
  }

  /** What came to a path and was not looked at yet went on to another one. */
  follow(from: string, to: string | undefined): void {
    const target = this.#arrivals.get(from);
    if (target !== undefined) this.depart(target, to);
  }

  /** Where a target went, by itself or with its directory; undefined if it is not known to have gone. */
  departure(target: Target): { readonly to: string | undefined } | undefined {
    if (this.#departures.has(target)) return { to: this.#departures.get(target) };
    const directory = target.parent && this.departure(target.parent);
    return directory && { to: directory.to && joinPath(directory.to, target.name) };
  }

  /** What came to a path from another one. */
  arrival(path: string): Target | undefined {
    return this.#arrivals.get(path);
  }

  /** A look has seen what became of it. */
  settle(target: Target): void {
    const to = this.#departures.get(target);
    if (to !== undefined && this.#arrivals.get(to) === target) this.#arrivals.delete(to);
    this.#departures.delete(target);
  }

  /** Takes a rename: where it takes these targets, or what was taken a moment ago. */
  note(event: KernelEvent, targets: Iterable<Target>, watchSet: WatchSet): void {
    const [from, to] = event.entries;
    const place = from && watchSet.placeOf(from);
    if (place !== undefined) this.follow(place, to && watchSet.placeOf(to));
    for (const target of targets) {
      const departure = watchSet.departure(target, event);
      if (departure !== undefined) this.depart(target, departure.to);
    }
  }
}
