import type { NodeKey } from "../event.ts";
import type { Mount, MountChanges } from "./mount-table.ts";
import type { Target } from "./target.ts";
import type { WatchSet } from "./watchset.ts";

/** A mount or umount that may have changed what is seen at a path. */
export interface Cover {
  readonly action: "covered" | "uncovered";
  readonly mount: Mount;
  /** Whether it is at the path or above what the user asked for, and not above a member of a directory. */
  readonly isTop: boolean;
  /** Where the path led before. */
  readonly end: NodeKey | undefined;
}

/** Mounts and umounts that are to be looked at, and the paths that something is mounted over. */
export class Covers {
  readonly #pending = new Map<Target, Cover>();
  readonly #covered = new Set<string>();

  /** Those that are to be looked at. */
  get targets(): readonly Target[] {
    return [...this.#pending.keys()];
  }

  /** Takes changes of the mount table. Returns whom they concern. */
  take({ added, removed }: MountChanges, watchSet: WatchSet): Set<Target> {
    const points = new Map<string, Pick<Cover, "action" | "mount">>();
    for (const mount of removed) points.set(mount.point, { action: "uncovered", mount });
    for (const mount of added) points.set(mount.point, { action: "covered", mount });
    const concerned = new Set<Target>();
    for (const [point, change] of points) {
      for (const target of watchSet.targetsThrough(point)) {
        this.add(target, { ...change, isTop: true, end: watchSet.endOf(target) });
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
    if (cover !== undefined) this.add(member, { ...cover, isTop: false, end });
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
  ): Omit<Cover, "end"> | undefined {
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

  /** A look has seen what came of it. */
  settle(target: Target, action: Cover["action"] | undefined): void {
    this.#pending.delete(target);
    if (action === "covered") this.#covered.add(target.path);
    if (action === "uncovered") this.#covered.delete(target.path);
  }
}
