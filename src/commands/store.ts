import type { Options } from "../options.ts";
import { readChainKey } from "../state/chain-key.ts";
import { Store } from "../state/store.ts";

/** Opens the database as the options say. Throws BpfinkError. */
export function openStore({
  database,
  keep,
  keepSize,
  chainKey,
}: Pick<Options, "database" | "keep" | "keepSize" | "chainKey">): Store {
  return Store.open(database, {
    retention: { age: keep, bytes: keepSize },
    ...(chainKey === undefined ? {} : { chainKey: readChainKey(chainKey) }),
  });
}
