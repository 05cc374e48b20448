import type { NodeKey } from "../event.ts";
import type { Source } from "../source/source.ts";
import type { Exclusions } from "./exclusions.ts";
import type { Target } from "./target.ts";
import type { Walk } from "./walk.ts";

/**
 * Tells the source which names it need not tell of, in which directories: names of members that the user
 * left out. Not those that a target's own way leads through, as a symbolic link's may.
 */
export class Scopes {
  readonly #source: Source;
  readonly #exclusions: Exclusions | undefined;
  /** Of directories on the way of targets: scopes that the targets' names would be left out in. */
  readonly #needed = new Map<NodeKey, number>();

  constructor(source: Source, exclusions: Exclusions | undefined) {
    this.#source = source;
    const isOfUse = source.setScopes !== undefined && (exclusions?.rules.length ?? 0) > 0;
    this.#exclusions = isOfUse ? exclusions : undefined;
  }

  /**
   * Notes what a target needs to hear of.
   *
   * @param directories of the steps of its walk
   * @returns those in which that is more than before
   */
  need({ path, parent }: Target, { steps, rest }: Walk, directories: readonly NodeKey[]): readonly NodeKey[] {
    // a member is no name that is left out, or it would be none: only as a symbolic link it goes on from there
    const skipped = parent === undefined ? 0 : 1;
    if (this.#exclusions === undefined || steps.length <= skipped) return [];
    const names = [...steps.slice(skipped).map(({ name }) => name), ...rest];
    const needed = this.#exclusions.scopesNeeded(path, names);
    return directories.slice(skipped).filter((key) => {
      const before = this.#needed.get(key) ?? 0;
      const all = (before | needed) >>> 0;
      if (all !== before) this.#needed.set(key, all);
      return all !== before;
    });
  }

  /** @param targets all that lead to the directory */
  tell(directory: NodeKey, targets: readonly Target[]): void {
    const exclusions = this.#exclusions;
    if (exclusions === undefined) return;
    const common = targets.map(({ path }) => exclusions.scopesAt(path)).reduce((all, bits) => all & bits, ~0);
    const scopes = targets.length === 0 ? 0 : common & ~(this.#needed.get(directory) ?? 0);
    this.#source.setScopes?.(directory, scopes >>> 0);
  }

  forget(directory: NodeKey): void {
    this.#needed.delete(directory);
  }
}
