import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import type { NodeKey } from "../event.ts";
import { hasCode } from "../kernel/errno.ts";
import type { WatchMap } from "../kernel/maps.ts";
import { nodeKey, parseNodeKey } from "./decode.ts";
import type { WatchNode } from "./source.ts";

/** WATCH_FILE and WATCH_DIRECTORY of bpf/watch.bpf.h. */
const WATCH_FILE = 1;
const WATCH_DIRECTORY = 2;
const WATCH_INHERIT = 4;

/** How many ticks the owner has to say that it wants an inode that the kernel watches by itself. */
const GRACE = 3;
/** Entries of the map that are gone through in one tick, in search of those that nobody wants: some milliseconds. */
const SWEEP = 10_000;

interface Watched {
  readonly device: number;
  readonly inode: bigint;
  flags: number;
}

/** What the kernel's watch map holds, and should hold. */
export class Watches {
  readonly #map: WatchMap;
  readonly #nodes = new Map<NodeKey, Watched>();
  /** What the kernel watches since its birth and nobody asked for yet: ticks to go. */
  readonly #inherited = new Map<NodeKey, number>();
  /** Of the nodes, those that found no room. */
  readonly #refused = new Set<NodeKey>();
  /** Whether the map is being gone through, from its first entry on. */
  #isSweeping = false;

  constructor(map: WatchMap) {
    this.#map = map;
  }

  /** See Source. What finds no room is put in as soon as there is. */
  watch(node: WatchNode): NodeKey {
    const { device, inode } = node;
    const key = nodeKey(device, inode);
    const known = this.#nodes.get(key);
    let flags = WATCH_FILE | (known?.flags ?? 0);
    if (node.as === "directory") flags |= WATCH_DIRECTORY;
    if (node.inherit) flags |= WATCH_INHERIT;
    if (known?.flags === flags) return key;
    try {
      if (!this.#set(key, { device, inode, flags })) this.#refused.add(key);
    } catch (error) {
      throw new BpfinkError(
        ExitStatus.cannotWatch,
        `cannot watch ${node.path}: ${messageOf(error)}`,
        "give the process more memory (memory cgroup, RLIMIT_MEMLOCK before Linux 5.11), or watch fewer files",
      );
    }
    return key;
  }

  unwatch(key: NodeKey): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    this.#refused.delete(key);
    this.#map.delete(node.device, node.inode);
  }

  /** Whether something that was to be watched found no room. */
  get isFull(): boolean {
    return this.#refused.size > 0;
  }

  /** Notes what the kernel watches since its birth, until it is asked for or its time is over. */
  born(key: NodeKey): void {
    if (!this.#nodes.has(key)) this.#inherited.set(key, GRACE);
  }

  /** Notes that the kernel dropped an inode by itself; it may watch another one of the number by now. */
  freed(key: NodeKey): void {
    this.#nodes.delete(key);
    this.#refused.delete(key);
    this.#inherited.delete(key);
  }

  /** Begins to look for what the kernel watches by itself and never told of: that event may be among those lost. */
  sweep(): void {
    this.#isSweeping = true;
  }

  /** To be called every second. */
  tick(): void {
    this.#forgetInherited();
    if (this.#isSweeping)
      this.#isSweeping = !this.#map.walk(SWEEP, (device, inode) => this.born(nodeKey(device, inode)));
    this.#retry();
  }

  /** Returns whether there was room. */
  #set(key: NodeKey, node: Watched): boolean {
    let hasRoom = true;
    try {
      this.#map.set(node.device, node.inode, node.flags);
    } catch (error) {
      if (!hasCode(error, "E2BIG")) throw error;
      hasRoom = false;
    }
    this.#nodes.set(key, node);
    this.#inherited.delete(key);
    return hasRoom;
  }

  #retry(): void {
    for (const key of this.#refused) {
      const node = this.#nodes.get(key);
      if (node !== undefined && !this.#set(key, node)) return;
      this.#refused.delete(key);
    }
  }

  #forgetInherited(): void {
    for (const [key, ticks] of this.#inherited) {
      if (ticks > 0) {
        this.#inherited.set(key, ticks - 1);
        continue;
      }
      this.#inherited.delete(key);
      const { device, inode } = parseNodeKey(key);
      this.#map.delete(device, inode);
    }
  }
}
