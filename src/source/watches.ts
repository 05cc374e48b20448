import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import type { NodeKey } from "../event.ts";
import { hasCode } from "../kernel/errno.ts";
import { SCOPES } from "../kernel/excludes.ts";
import type { WatchMap } from "../kernel/maps.ts";
import { NodeMap } from "../packed-keys.ts";
import { nodeKey, parseNodeKey } from "./decode.ts";
import type { WatchNode } from "./source.ts";

/** WATCH_FILE and WATCH_DIRECTORY of bpf/watch.bpf.h. */
export const WATCH_FILE = 1;
const WATCH_DIRECTORY = 2;
const WATCH_INHERIT = 4;
/** The rest of the word is nothing to the kernel. */
export const FLAG_BITS = 3;

/** How many ticks the owner has to say that it wants an inode that the kernel watches by itself. */
const GRACE = 3;
/** Entries of the map that are gone through in one tick, in search of those that nobody wants: some milliseconds. */
const SWEEP = 10_000;

/** What the kernel's watch map holds, and should hold. */
export class Watches {
  readonly #map: WatchMap;
  /** The flags of each: there may be a million. */
  readonly #nodes = new NodeMap<number>();
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
    let flags = WATCH_FILE | (known ?? 0);
    if (node.as === "directory") flags |= WATCH_DIRECTORY;
    if (node.inherit) flags |= WATCH_INHERIT;
    flags >>>= 0; // the scopes take all bits there are
    if (known === flags) return key;
    try {
      if (!this.#set(key, flags)) this.#refused.add(key);
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
    if (!this.#nodes.delete(key)) return;
    this.#refused.delete(key);
    const { device, inode } = parseNodeKey(key);
    this.#map.delete(device, inode);
  }

  /** See Source. */
  setScopes(key: NodeKey, scopes: number): void {
    const known = this.#nodes.get(key);
    if (known === undefined || (known & WATCH_DIRECTORY) === 0) return;
    const flags = ((known & ~SCOPES) | scopes) >>> 0;
    if (flags !== known && !this.#set(key, flags)) this.#refused.add(key);
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
  #set(key: NodeKey, flags: number): boolean {
    const { device, inode } = parseNodeKey(key);
    let hasRoom = true;
    try {
      this.#map.set(device, inode, flags);
    } catch (error) {
      if (!hasCode(error, "E2BIG")) throw error;
      hasRoom = false;
    }
    this.#nodes.set(key, flags);
    this.#inherited.delete(key);
    return hasRoom;
  }

  #retry(): void {
    for (const key of this.#refused) {
      const flags = this.#nodes.get(key);
      if (flags !== undefined && !this.#set(key, flags)) return;
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
