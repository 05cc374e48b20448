import { isSameList } from "../multiset.ts";
import { type KeptProblems, newProblems } from "../problems.ts";

interface Lines extends KeptProblems {
  readonly entries: readonly unknown[];
}

/** What changed in a file whose accounts are the same as before. */
export function notesOnLines(before: Lines, after: Lines): string[] {
  if (!isSameList(before.entries, after.entries)) return ["order changed"];
  const unreadable = newProblems(before, after);
  return unreadable.length > 0 ? unreadable : ["only comments, blank lines or unreadable lines changed"];
}
