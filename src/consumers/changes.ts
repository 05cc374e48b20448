/** As many as somebody will read; `add`, `del` or the diff have them all. */
export const SHOWN = 50;

/** What changed, in words, and how many more there are. */
export function shortened(changes: readonly string[]): readonly string[] {
  const more = changes.length - SHOWN;
  return more > 0 ? [...changes.slice(0, SHOWN), `${more} more`] : changes;
}
