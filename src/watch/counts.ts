/** What a look at everything found. */
export interface Counts {
  /** Paths where something is. */
  watched: number;
  /** Paths that are waited for. */
  missing: number;
  /** Lines made. */
  changed: number;
  /** Of the paths, those that nothing was known of: they are the baseline now. */
  added: number;
  /** Paths that could not be looked at. */
  failed: number;
}

export const NOTHING: Counts = { watched: 0, missing: 0, changed: 0, added: 0, failed: 0 };
