import type { Expectation } from "../state/expectations.ts";
import { select } from "../watch/selection.ts";

/** `expected: {reason, by, until}`, as lines have it. */
export interface ExpectedLabel {
  readonly reason: string;
  readonly by: string;
  /** RFC 3339. */
  readonly until: string;
}

/**
 * Pure. What a line about a path says of the expectations in force when it changed: the one that was
 * made last speaks for all.
 */
export function expectedLabel(path: string, inForce: readonly Expectation[]): ExpectedLabel | undefined {
  const found = inForce.findLast(({ paths }) => paths.length === 0 || select(paths, []).reports(path));
  return found && { reason: found.reason, by: found.by, until: new Date(found.until).toISOString() };
}
