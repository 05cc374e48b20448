import { messageOf } from "../errors.ts";
import type { NodeKey } from "../event.ts";
import { DIRTY_HOOKS } from "../kernel/hooks.ts";
import { LoadedObject, LoadError } from "../kernel/load.ts";
import { WatchMap } from "../kernel/maps.ts";
import { hasHostsPids } from "../kernel/namespace.ts";
import { log } from "../log.ts";
import { nodeKey, parseNodeKey } from "./decode.ts";
import { generationOf } from "./fanotify-decode.ts";
import { InodeKeys } from "./inode-keys.ts";
import { FOREIGN_PIDS } from "./processes.ts";
import { EventRing } from "./ring.ts";
import type { SourceHandlers, WatchNode } from "./source.ts";
import { FLAG_BITS, WATCH_FILE } from "./watches.ts";

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
  readonly #watches: WatchMap;
  #isFull = false;
  readonly #keys = new InodeKeys();

  /** Throws LoadError where the kernel does not take the program. */
  constructor() {
    if (!hasHostsPids()) throw new LoadError(FOREIGN_PIDS);
    this.#object = LoadedObject.load(DIRTY_HOOKS, "fentry", { ring: RING });
    this.#ring = new EventRing(this.#object);
    this.#watches = new WatchMap(this.#object.mapFd("watches"), this.#object.mapFd("filter"));
  }

  /** @param key of events about it */
  watch({ device, inode }: Pick<WatchNode, "device" | "inode">, key: NodeKey): void {
    try {
      this.#watches.set(device, inode, flagsOf(key));
    } catch (error) {
      if (!this.#isFull)
        log.warn(`stores through shared mappings of some files will be seen late: ${messageOf(error)}`);
      this.#isFull = true;
      return;
    }
    this.#keys.add(nodeKey(device, inode), key);
  }

  unwatch(key: NodeKey): void {
    const node = this.#keys.delete(key);
    if (node === undefined) return;
    const { device, inode } = parseNodeKey(node);
    if (this.#watches.get(device, inode) === flagsOf(key)) this.#watches.delete(device, inode);
  }

  untilNow(): () => boolean {
    return this.#ring.untilNow();
  }

  start({ onEvent, onLost, onError }: SourceHandlers): void {
    this.#ring.start({
      onEvent: (event) => {
        const node = event.node && this.#keys.ownersOf(event.node, event.generation);
        if (node === undefined) return;
        const generation = generationOf(node);
        // another file got the number, which fanotify is yet to tell
        if (generation !== undefined && generation !== event.generation) return;
        // a kernel thread marks what others wrote, and is not to blame
        const isKnown = generation !== undefined && event.kind === "store";
        onEvent(isKnown ? { ...event, node } : { ...event, node, kind: "dirty", actor: undefined });
      },
      onLost,
      onError,
      onTick: () => {},
    });
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}

/** What is above the kernel's flags tells whose the watch is: another file may have the number by now. */
const flagsOf = (key: NodeKey): number => ((Bun.hash.xxHash32(key) << FLAG_BITS) | WATCH_FILE) >>> 0;
