import type { KernelEvent, NodeKey } from "../event.ts";
import type { Mount, MountChanges } from "./mount-table.ts";
import type { Target } from "./target.ts";
import type { WatchSet } from "./watchset.ts";

/** Between an event and what it tells of lies this much at most, on a machine that is overloaded, in milliseconds. */
const LIMIT = 5000;
/** More mounts at one path than this are not all remembered. */
const MAX_EVENTS = 16;

/** A mount or umount that may have changed what is seen at a path. */
export interface Cover {
  readonly action: "covered" | "uncovered";
  readonly mount: Mount;
  /** Whether it is at the path or above what the user asked for, and not above a member of a directory. */
  readonly isTop: boolean;
  /** Where the path led before. */
  readonly end: NodeKey | undefined;
  /** When it was found, nanoseconds since the epoch; 0: of a member, found with its directory. */
  readonly found: bigint;
}

/** Mounts and umounts that are to be looked at, and the paths that something is mounted over. */
export class Covers {
  readonly #pending = new Map<Target, Cover>();
  readonly #covered = new Set<string>();
  /** Of mounts that are to be looked at, or may not be found yet, and until when they can be. */
  readonly #events = new Map<Target, { readonly events: readonly KernelEvent[]; readonly until: number }>();
  #hasEvents: boolean;
  /** Of the last event that came, of whatever kind. */
  #last = 0n;

  /** @param hasEvents whether the source tells of mounts */
  constructor(hasEvents: boolean) {
    this.#hasEvents = hasEvents;
  }

  /** Takes any event. @param targets whom it concerns */
  note(targets: Iterable<Target>, event: KernelEvent): void {
    this.#last = event.time;
    if (event.kind !== "mount") return;
    this.#forget();
    for (const target of targets) {
      const events = [...(this.#events.get(target)?.events ?? []), event].slice(-MAX_EVENTS);
      this.#events.set(target, { events, until: performance.now() + LIMIT });
    }
  }

  /** Events of the mounts and umounts that are to be looked at; none where there is nothing to look at. */
  eventsOf(target: Target): readonly KernelEvent[] {
    return (this.#pending.has(target) ? this.#events.get(target)?.events : undefined) ?? [];
  }

  /**
   * Whether there is something to look at, and the event that says whose doing it is may be on its way:
   * events come in order, and none that is later came.
   */
  awaitsEvent(target: Target): boolean {
    const found = this.#pending.get(target)?.found ?? 0n;
    if (!this.#hasEvents || found < this.#last || this.eventsOf(target).length > 0) return false;
    return epoch() < found + BigInt(LIMIT) * 1_000_000n;
  }

  /** No more events will come. */
  stop(): void {
    this.#hasEvents = false;
  }

  /** Takes changes of the mount table. Returns whom they concern. */
  take({ added, removed }: MountChanges, watchSet: WatchSet): Set<Target> {
    this.#forget();
    const points = new Map<string, Pick<Cover, "action" | "mount">>();
    for (const mount of removed) points.set(mount.point, { action: "uncovered", mount });
    for (const mount of added) points.set(mount.point, { action: "covered", mount });
    const concerned = new Set<Target>();
    for (const [point, change] of points) {
      for (const target of watchSet.targetsThrough(point)) {
        this.add(target, { ...change, isTop: true, end: watchSet.endOf(target), found: epoch() });
        watchSet.invalidate(target);
        concerned.add(target);
      }
    }
    return concerned;
  }

  add(target: Target, cover: Cover): void {
    const { end } = this.#pending.get(target) ?? cover;
    this.#pending.set(target, { ...cover, end });
  }

  /** What covers a directory covers its member, which led to `end` before. */
  pass(directory: Target, member: Target, end: NodeKey | undefined): void {
    const cover = this.#pending.get(directory);
    if (cover === undefined) return;
    this.add(member, { ...cover, isTop: false, end, found: 0n });
    const events = this.#events.get(directory);
    if (events !== undefined) this.#events.set(member, events);
  }

  get(target: Target): Cover | undefined {
    return this.#pending.get(target);
  }

  /**
   * The mount or umount that a look finds the doing of, and what that makes of the path; undefined
   * also where the path leads to the same as before.
   *
   * @param wasMissing whether nothing was there before; undefined when it is not known
   */
  of(
    target: Target,
    end: NodeKey | undefined,
    wasMissing: boolean | undefined,
    isMissing: boolean,
  ): Pick<Cover, "action" | "mount" | "isTop"> | undefined {
    const cover = this.#pending.get(target);
    if (cover === undefined || wasMissing === undefined || cover.end === end) return undefined;
    const action = this.actionOf(target, wasMissing, isMissing);
    return action && { ...cover, action };
  }

  /**
   * What a mount or umount made of a path; undefined when that is an ordinary change: a path where
   * nothing was before, or nothing is now.
   */
  actionOf(target: Target, wasMissing: boolean, isMissing: boolean): Cover["action"] | undefined {
    const action = this.#pending.get(target)?.action;
    if (action === "covered") return wasMissing ? undefined : action;
    return this.#covered.has(target.path) || wasMissing === isMissing ? action : undefined;
  }

  /** Events of what failed, or changed nothing here. */
  #forget(): void {
    const now = performance.now();
    for (const [target, { until }] of this.#events)
      if (until < now && !this.#pending.has(target)) this.#events.delete(target);
  }

  /** A look has seen what came of it. */
  settle(target: Target, action: Cover["action"] | undefined): void {
    if (this.#pending.delete(target)) this.#events.delete(target);
    if (action === "covered") this.#covered.add(target.path);
    if (action === "uncovered") this.#covered.delete(target.path);
  }
}

const epoch = (): bigint => BigInt(Date.now()) * 1_000_000n;
