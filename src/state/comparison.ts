import type { StateStore } from "./store.ts";

/**
 * A store to compare with: it gives what is saved, and keeps nothing.
 *
 * @param seq what lines get for a sequence number: they are not in the log
 */
export function comparison(store: StateStore, seq: number, onLine: (line: string) => void): StateStore {
  return {
    fingerprint: store.fingerprint,
    keyedDigest: store.keyedDigest,
    load: (path) => store.load(path),
    paths: (isWanted) => store.paths(isWanted),
    forget: () => {},
    baseline: () => {},
    record: (...changes) => {
      for (const { line } of changes) onLine(line(seq));
      return [];
    },
    transaction: (body) => body(),
  };
}
