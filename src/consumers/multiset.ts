/**
 * What came and what went between two lists of plain objects, each in its own order. An element that
 * is there twice and then once went once; order does not count.
 */
export function differenceOf<T>(before: readonly T[], after: readonly T[]): { add: T[]; del: T[] } {
  return { add: without(after, before), del: without(before, after) };
}

/** Whether two lists hold the same in the same order. */
export function isSameList<T>(before: readonly T[], after: readonly T[]): boolean {
  return before.length === after.length && before.every((element, i) => keyOf(element) === keyOf(after[i]));
}

function without<T>(elements: readonly T[], others: readonly T[]): T[] {
  const counts = new Map<string, number>();
  for (const other of others) counts.set(keyOf(other), (counts.get(keyOf(other)) ?? 0) + 1);
  return elements.filter((element) => {
    const left = counts.get(keyOf(element)) ?? 0;
    counts.set(keyOf(element), left - 1);
    return left <= 0;
  });
}

/** Members in any order, as a state that went through the database may have them. */
function keyOf(element: unknown): string {
  return JSON.stringify(element, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
