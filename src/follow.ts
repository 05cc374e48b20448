import type { Consumer, State } from "./consumers/consumer.ts";
import type { Context } from "./consumers/context.ts";
import type { Origin } from "./event.ts";
import type { StateStore } from "./state/store.ts";
import type { Sighting } from "./watch/attribution.ts";
import type { Dispatch } from "./watch/dispatch.ts";
import { PAM_SERVICE } from "./watch/pam.ts";
import type { Selection } from "./watch/selection.ts";
import type { Target } from "./watch/target.ts";
import type { Tree } from "./watch/tree.ts";

/** Lets what is watched follow what is found: the files that decide it were looked at (src/homes). */
export class Follow {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Keys that came while nobody looked are reported, unless this is the first look at any. */
  begin(): void {
    const { selection, tree, store } = this.#parts;
    const files = tree.roots.filter(({ path }) => (selection.owners?.(path).length ?? 0) > 0);
    if (files.some(({ path }) => store.load(path) !== undefined)) for (const file of files) this.#expectCreation(file);
  }

  /** After a look: brings the targets in step with what decides them. */
  lookedAt(path: string, origin: Origin): void {
    const { selection, tree, dispatch, watch, unwatch } = this.#parts;
    if (selection.decides?.(path) !== true) return;
    const { added = [], removed = [], changed = [] } = selection.revise?.() ?? {};
    // what was known stays in the store: who comes back brings no old keys as new ones
    for (const target of removed.map((gone) => tree.find(gone))) if (target !== undefined) unwatch(target);
    for (const root of added) {
      const target = tree.addRoot(root);
      this.#expectCreation(target);
      watch(target);
      dispatch.await(target, [], origin);
    }
    for (const target of changed.map((other) => tree.find(other)))
      if (target !== undefined) dispatch.await(target, [], origin);
  }

  /** After a change of pam.d(5): the same text can be other rules to pam_access(8), by whoever changed it there. */
  changed(path: string, sightings: readonly Sighting[], origin: Origin): void {
    if (!PAM_SERVICE.test(path)) return;
    const { tree, dispatch, context, consumerFor } = this.#parts;
    context.forget?.();
    const files = [...tree].filter(({ path }) => consumerFor(path).name === "access");
    for (const target of files) dispatch.await(target, sightings, origin);
  }

  /** What will be found where nothing is known is no baseline. */
  #expectCreation({ path }: Target): void {
    const { store, selection, missing } = this.#parts;
    if (store.load(path) === undefined && selection.reports(path)) store.baseline(path, missing(path));
  }
}

interface Parts {
  readonly store: StateStore;
  readonly selection: Selection;
  readonly tree: Tree;
  readonly dispatch: Dispatch;
  /** Puts watches in force. */
  readonly watch: (target: Target) => void;
  readonly unwatch: (target: Target) => void;
  readonly context: Context;
  readonly consumerFor: (path: string) => Consumer;
  /** The state of a path where nothing is. */
  readonly missing: (path: string) => State;
}
