import type { KernelEvent, NodeKey } from "../event.ts";
import { DIRTY_HOOKS } from "../kernel/hooks.ts";
import { LoadedObject, LoadError } from "../kernel/load.ts";
import { WatchMap } from "../kernel/maps.ts";
import { hasHostsPids } from "../kernel/namespace.ts";
import { FOREIGN_PIDS } from "./processes.ts";
import { EventRing } from "./ring.ts";
import type { SourceHandlers, WatchNode } from "./source.ts";
import { Watches } from "./watches.ts";

/** Bytes of the ring: some 100 events while user space is away. */
const RING = 1 << 18;

/**
 * Beside fanotify: watched files whose pages become dirty, which a store through a shared mapping makes
 * them, on file systems that write back (ext4, xfs, btrfs; not tmpfs). A write makes them so as well: not in a PID
 * namespace of its own, where that would be two processes.
 */
export class DirtyPages implements Disposable {
  readonly #object: LoadedObject;
  readonly #ring: EventRing;
  readonly #watches: Watches;
  /** By the kernel's key of an inode, the owner's. */
  readonly #keys = new Map<NodeKey, NodeKey>();

  /** Throws LoadError where the kernel does not take the program. */
  constructor() {
    if (!hasHostsPids()) throw new LoadError(FOREIGN_PIDS);
    this.#object = LoadedObject.load(DIRTY_HOOKS, "fentry", { ring: RING });
    this.#ring = new EventRing(this.#object);
    this.#watches = new Watches(new WatchMap(this.#object.mapFd("watches")));
  }

  /** @returns what to unwatch. @param key of events about it */
  watch(node: WatchNode, key: NodeKey): NodeKey {
    const inode = this.#watches.watch(node);
    this.#keys.set(inode, key);
    return inode;
  }

  unwatch(inode: NodeKey): void {
    this.#keys.delete(inode);
    this.#watches.unwatch(inode);
  }

  untilNow(): () => boolean {
    return this.#ring.untilNow();
  }

  start({ onEvent, onLost, onError }: SourceHandlers): void {
    this.#ring.start({
      onEvent: (event) => {
        const node = event.node && this.#keys.get(event.node);
        if (node !== undefined) onEvent({ ...event, node, ...byWhom(event) });
      },
      onLost,
      onError,
      onTick: () => this.#watches.tick(),
    });
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}

/** A process that marks pages stores to them. A kernel thread, which has no executable, marks what others wrote: it is not to blame. */
const byWhom = ({ actor }: KernelEvent): Pick<KernelEvent, "kind" | "actor"> =>
  actor?.process.executable === "" ? { kind: "dirty", actor: undefined } : { kind: "store", actor };
