import type { NodeKey } from "../event.ts";
import type { Opened, Source, WatchNode } from "./source.ts";

/** One source for several owners, each with its own watches: an inode is watched as long as one of them wants it. */
export class SharedSource {
  readonly #source: Source;
  readonly #owners = new Map<NodeKey, Set<Share>>();

  constructor(source: Source) {
    this.#source = source;
  }

  share(): Source {
    return new Share(this.#source, this.#owners);
  }
}

class Share implements Source {
  readonly #source: Source;
  readonly #owners: Map<NodeKey, Set<Share>>;

  constructor(source: Source, owners: Map<NodeKey, Set<Share>>) {
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
    if (key === undefined) return undefined;
    const owners = this.#owners.get(key);
    if (owners === undefined) this.#owners.set(key, new Set([this]));
    else owners.add(this);
    return key;
  }

  unwatch(key: NodeKey): void {
    const owners = this.#owners.get(key);
    owners?.delete(this);
    if (owners !== undefined && owners.size > 0) return;
    this.#owners.delete(key);
    this.#source.unwatch(key);
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
    for (const [key, owners] of [...this.#owners]) if (owners.has(this)) this.unwatch(key);
  }
}
