import type { Dispatch } from "./dispatch.ts";
import type { LongReads } from "./long-reads.ts";
import type { Tree } from "./tree.ts";
import type { WatchSet } from "./watchset.ts";

/** What a monitor has under way. */
export interface Work {
  readonly tree: Tree;
  readonly watchSet: WatchSet;
  readonly dispatch: Dispatch;
  readonly longReads: LongReads;
}

/**
 * Ends one monitor's work. What both watch stays watched; what the old one had still to look at, and was seen
 * to happen to it, goes to the new one, which has looked at everything already.
 */
export function takeOver(before: Work, after: Work): void {
  const targets = [...before.tree];
  for (const target of targets) {
    const read = before.longReads.drop(target);
    const own = after.tree.find(target.path);
    if (read !== undefined && own !== undefined) after.dispatch.await(own, read.sightings, read.origin);
  }
  for (const [target, sightings, origin] of before.dispatch.pending()) {
    const own = after.tree.find(target.path);
    before.dispatch.drop(target);
    if (own === undefined) continue;
    after.dispatch.drop(own); // of the look just now, which knows of nobody
    after.dispatch.await(own, sightings, origin);
  }
  before.tree.clear();
  for (const target of targets) before.watchSet.remove(target);
  before.watchSet[Symbol.dispose]();
}
