import type { NodeKey } from "../event.ts";
import { MultiMap } from "../multimap.ts";
import type { Opened, Source, WatchNode } from "./source.ts";

/** One source for several owners, each with its own watches: an inode is watched as long as one of them wants it. */
export class SharedSource {
  readonly #source: Source;
  readonly #owners = new MultiMap<NodeKey, Share>();

  constructor(source: Source) {
    this.#source = source;
  }

  share(): Source {
    return new Share(this.#source, this.#owners);
  }
}

class Share implements Source {
  readonly #source: Source;
  readonly #owners: MultiMap<NodeKey, Share>;

  constructor(source: Source, owners: MultiMap<NodeKey, Share>) {
    this.#source = source;
    this.#owners = owners;
  }

  get backend(): string {
    return this.#source.backend;
  }

  get tellsOfMounts(): boolean {
    return this.#source.tellsOfMounts === true;
  }

  watch(node: WatchNode): NodeKey | undefined {
    const key = this.#source.watch(node);
    if (key !== undefined) this.#owners.add(key, this);
    return key;
  }

  unwatch(key: NodeKey): void {
    this.#owners.delete(key, this);
    if (!this.#owners.has(key)) this.#source.unwatch(key);
  }

  /** Who came last decides: one that is about to go has other scopes. */
  setScopes(key: NodeKey, scopes: number): void {
    if (this.#owners.get(key).at(-1) === this) this.#source.setScopes?.(key, scopes);
  }

  opened(key: NodeKey): Opened | undefined {
    return this.#source.opened?.(key);
  }

  untilNow(): () => boolean {
    return this.#source.untilNow?.() ?? (() => true);
  }

  /** The one source that is shared reports to whoever started it. */
  start(): void {}

  [Symbol.dispose](): void {
    for (const key of this.#owners.keysOf(this)) this.unwatch(key);
  }
}
