import type { NodeKey } from "../event.ts";
import type { Opened, Source, WatchNode } from "./source.ts";

/**
 * One source for several owners, each with its own watches: an inode is watched as long as one of them needs
 * it. That is asked of them, and not noted: there may be 100,000.
 */
export class SharedSource {
  readonly #source: Source;
  readonly #shares = new Set<Share>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** For another owner, which claims what it needs. */
  share(): Source {
    return new Share(this.#source, this.#shares);
  }
}

class Share implements Source {
  readonly #source: Source;
  readonly #shares: Set<Share>;
  #needs: (key: NodeKey) => boolean = () => false;

  constructor(source: Source, shares: Set<Share>) {
    this.#source = source;
    this.#shares = shares;
    shares.add(this);
  }

  claim(needs: (key: NodeKey) => boolean): void {
    this.#needs = needs;
  }

  get backend(): string {
    return this.#source.backend;
  }

  get tellsOfMounts(): boolean {
    return this.#source.tellsOfMounts === true;
  }

  watch(node: WatchNode): NodeKey | undefined {
    return this.#source.watch(node);
  }

  unwatch(key: NodeKey, path: string): void {
    for (const share of this.#shares) if (share !== this && share.#needs(key)) return;
    this.#source.unwatch(key, path);
  }

  /** Who came last decides: one that is about to go has other scopes. */
  setScopes(key: NodeKey, scopes: number): void {
    const after = [...this.#shares].slice([...this.#shares].indexOf(this) + 1);
    if (!after.some((share) => share.#needs(key))) this.#source.setScopes?.(key, scopes);
  }

  opened(key: NodeKey): Opened | undefined {
    return this.#source.opened?.(key);
  }

  untilNow(): () => boolean {
    return this.#source.untilNow?.() ?? (() => true);
  }

  hasLost(): boolean {
    return this.#source.hasLost?.() === true;
  }

  /** The one source that is shared reports to whoever started it. */
  start(): void {}

  /** Its owner has watched nothing, or given up all. */
  [Symbol.dispose](): void {
    this.#shares.delete(this);
  }
}
