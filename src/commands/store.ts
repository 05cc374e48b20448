import type { Options } from "../options.ts";
import { readChainKey } from "../state/chain-key.ts";
import type { JournalOptions, Retention } from "../state/journal.ts";
import { type Recovery, Store } from "../state/store.ts";

type DatabaseOptions = Pick<Options, "database" | "keep" | "keepSize" | "chainKey">;

/** Opens the database as the options say. Throws BpfinkError. */
export function openStore(options: DatabaseOptions): Store {
  return Store.open(options.database, journalOptions(options));
}

/** The same for who must watch whatever happened to it. `found` says what did. */
export function openStoreAnyway(options: DatabaseOptions): { readonly store: Store; readonly found?: Recovery } {
  return Store.openAnyway(options.database, journalOptions(options));
}

/** How long lines are kept. */
export const retentionOf = ({ keep, keepSize }: Pick<Options, "keep" | "keepSize">): Retention => ({
  age: keep,
  bytes: keepSize,
});

/** The key of the chain, if one is named. Throws BpfinkError. */
export const chainKeyOf = ({ chainKey }: Pick<Options, "chainKey">): Uint8Array | undefined =>
  chainKey === undefined ? undefined : readChainKey(chainKey);

function journalOptions(options: DatabaseOptions): JournalOptions {
  return { retention: retentionOf(options), chainKey: chainKeyOf(options) };
}

/** For people. */
export function recoveryMessage({ trouble, setAside, isWhole, inMemory, why }: Recovery): string {
  const aside = setAside === undefined ? "" : `, set aside as ${setAside}`;
  const reason = why === undefined ? "" : ` (${why})`;
  const goesOn = inMemory ? `going on in memory${reason}` : "going on with a new one";
  const known = isWhole
    ? "nothing is lost"
    : "what cannot be read any more is lost, and where nothing is known the present state is the new baseline";
  if (trouble === "can be written again") return `the state database ${trouble}: ${known}`;
  return `the state database ${trouble}${aside}: ${goesOn}, ${known}`;
}
