import type { KernelEvent, NodeKey } from "../event.ts";
import { mountNamespace } from "../kernel/namespace.ts";
import type { Mount, MountChanges } from "./mount-table.ts";
import type { Target } from "./target.ts";
import type { WatchSet } from "./watchset.ts";

/** Between a mount that can be found and the event of it lies this much at most, on a machine that is overloaded, in milliseconds. */
const AFTER = 1000;
/** An event of which nothing comes is of a mount that failed, after this long, in milliseconds. */
const BEFORE = 5000;
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
  /** performance.now() when it was found, and whether what the kernel had told by then was reported; undefined: of a member, found with its directory. */
  readonly found: { readonly at: number; readonly isTold: () => boolean } | undefined;
}

/** Mounts and umounts that are to be looked at, and the paths that something is mounted over. */
export class Covers {
  readonly #pending = new Map<Target, Cover>();
  readonly #covered = new Set<string>();
  /** Of mounts that are to be looked at, or may not be found yet, and until when they can be. */
  readonly #events = new Map<Target, { readonly events: readonly KernelEvent[]; readonly until: number }>();
  /** Those that name a mount, by what became of it. */
  readonly #named = new Map<string, { readonly event: KernelEvent; readonly until: number }>();
  readonly #untilNow: () => () => boolean;
  readonly #check: () => void;
  #hasEvents: boolean;
  readonly #namespace = mountNamespace();

  /**
   * @param hasEvents whether the source tells of mounts
   * @param untilNow as a Source has it
   * @param check has the changes of the mount table taken that there are by now
   */
  constructor(hasEvents: boolean, untilNow: () => () => boolean, check: () => void = () => {}) {
    this.#hasEvents = hasEvents;
    this.#untilNow = untilNow;
    this.#check = check;
  }

  /** Takes an event of a mount. @param targets whom it concerns */
  note(targets: Iterable<Target>, event: KernelEvent): void {
    this.#forget();
    const { mount } = event;
    if (mount !== undefined) {
      const key = nameOf(mount.isAttached ? "covered" : "uncovered", mount.id);
      this.#named.set(key, { event, until: performance.now() + BEFORE });
    }
    for (const target of targets) {
      const events = [...(this.#events.get(target)?.events ?? []), event].slice(-MAX_EVENTS);
      this.#events.set(target, { events, until: performance.now() + BEFORE });
    }
  }

  /**
   * Events of the mounts and umounts that are to be looked at; none where there is nothing to look at. Those in other
   * mount namespaces only where there is none in ours: a mount may have come from there (mount_namespaces(7)).
   */
  eventsOf(target: Target): readonly KernelEvent[] {
    const own = this.#ownEventsOf(target);
    return own.length > 0 || !this.#pending.has(target) ? own : (this.#events.get(target)?.events ?? []);
  }

  #ownEventsOf(target: Target): readonly KernelEvent[] {
    const cover = this.#pending.get(target);
    if (cover === undefined) return [];
    const named = this.#named.get(nameOf(cover.action, cover.mount.id));
    const events = this.#events.get(target)?.events ?? (named === undefined ? [] : [named.event]);
    return events.filter((event) => (event.mountNamespace ?? this.#namespace) === this.#namespace);
  }

  /** Whether there is something to look at, and the event that says whose doing it is may be on its way. */
  awaitsEvent(target: Target): boolean {
    const found = this.#pending.get(target)?.found;
    if (!this.#hasEvents || found === undefined || this.#ownEventsOf(target).length > 0) return false;
    return performance.now() < found.at + AFTER || !found.isTold();
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
    const found = { at: performance.now(), isTold: this.#untilNow() };
    for (const [point, change] of points) {
      for (const target of watchSet.targetsThrough(point)) {
        this.add(target, { ...change, isTop: true, end: watchSet.endOf(target), found });
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
    this.add(member, { ...cover, isTop: false, end, found: undefined });
    const events = this.#events.get(directory);
    if (events !== undefined) this.#events.set(member, events);
  }

  /**
   * What is to be looked at of a path: to be asked before a look, for cameOver() after it.
   *
   * @param end where the path leads as far as is known
   */
  over(target: Target, end: NodeKey | undefined): Cover | undefined {
    this.#check();
    let at: Target | undefined = target;
    while (at !== undefined && !this.#pending.has(at)) at = at.parent;
    if (at !== undefined && at !== target) this.pass(at, target, end);
    return this.#pending.get(target);
  }

  /**
   * Whether something was mounted over a path, or unmounted, while it was looked at: what was found may be the doing
   * of that, and a look that knows of it follows.
   *
   * @param before of the look: what over() returned, and where the path led
   */
  cameOver(target: Target, before: { readonly cover: Cover | undefined; readonly end: NodeKey | undefined }): boolean {
    return this.over(target, before.end) !== before.cover;
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
    for (const [key, { until }] of this.#named) if (until < now) this.#named.delete(key);
  }

  /** A look has seen what came of it. */
  settle(target: Target, action: Cover["action"] | undefined): void {
    if (this.#pending.delete(target)) this.#events.delete(target);
    if (action === "covered") this.#covered.add(target.path);
    if (action === "uncovered") this.#covered.delete(target.path);
  }
}

const nameOf = (action: Cover["action"], id: number): string => `${action} ${id}`;
