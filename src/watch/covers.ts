import type { NodeKey } from "../event.ts";
import type { Mount } from "./mount-table.ts";
import type { Target } from "./target.ts";

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

  add(target: Target, cover: Cover): void {
    const { end } = this.#pending.get(target) ?? cover;
    this.#pending.set(target, { ...cover, end });
  }

  get(target: Target): Cover | undefined {
    return this.#pending.get(target);
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
