import { messageOf } from "../errors.ts";
import { log } from "../log.ts";
import type { Options, SETTINGS } from "../options.ts";
import { type Scope, scopeOf } from "./scope.ts";
import { chainKeyOf } from "./store.ts";

/** What is opened once and kept open, by the names that users know. */
const FIXED = [
  ["root", "root"],
  ["database", "database"],
  ["backend", "backend"],
  ["ring-size", "ringSize"],
  ["max-watches", "maxWatches"],
] as const satisfies readonly (readonly [keyof typeof SETTINGS, keyof Options])[];

/** What a reload comes to, all of it checked. */
export interface Reloaded {
  readonly options: Options;
  readonly scope: Scope;
  /** Where it is another one than before. */
  readonly chainKey?: { readonly key: Uint8Array | undefined };
}

/**
 * The options as they are now; undefined, said in the log, if they cannot be used: the old ones stay.
 *
 * The key of the chain is read again only where another file is named: that it was taken away after the start, so
 * that whoever breaks in does not find it, must not keep anything from being reloaded.
 */
export function reloaded(before: Options, reread: () => Options): Reloaded | undefined {
  try {
    const options = reread();
    const kept: Partial<Record<keyof Options, unknown>> = {};
    for (const [name, key] of FIXED) {
      if (options[key] !== before[key]) log.warn(`${name} stays what it was until bpfink is started again`);
      kept[key] = before[key];
    }
    const next = { ...options, ...kept } as Options;
    const isSameKey = next.chainKey === before.chainKey;
    return { options: next, scope: scopeOf(next), ...(isSameKey ? {} : { chainKey: { key: chainKeyOf(next) } }) };
  } catch (error) {
    log.error(`not reloaded, the configuration stays what it was: ${messageOf(error)}`);
    return undefined;
  }
}
