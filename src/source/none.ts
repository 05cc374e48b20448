import type { NodeKey } from "../event.ts";
import type { Source } from "./source.ts";

/** Watches nothing: for a look at everything without waiting for events. Needs no privileges. */
export class NoSource implements Source {
  readonly backend = "none";

  watch({ device, inode }: { readonly device: number; readonly inode: bigint }): NodeKey {
    return `${device}:${inode}` as NodeKey;
  }

  unwatch(): void {}

  start(): void {}

  [Symbol.dispose](): void {}
}
