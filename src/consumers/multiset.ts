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

/** Whether what two lists have in common is in another order. */
export function isReordered<T>(before: readonly T[], after: readonly T[]): boolean {
  const common = (elements: readonly T[], others: readonly T[]) => without(elements, without(elements, others));
  return !isSameList(common(before, after), common(after, before));
}

function without<T>(elements: readonly T[], others: readonly T[]): T[] {
  const counts = new Map<string, number>();
  for (const key of others.map(keyOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return elements.filter((element) => {
    const key = keyOf(element);
    const left = counts.get(key) ?? 0;
    counts.set(key, left - 1);
    return left <= 0;
  });
}

/** Members in any order, as a state that went through the database may have them. */
function keyOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`;
  const known = keys.get(value);
  if (known !== undefined) return known;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const key = `{${members
    .map(([name, member]) => `${JSON.stringify(name)}:${keyOf(member)}`)
    .sort()
    .join()}}`;
  keys.set(value, key);
  return key;
}

/** States do not change, and each element is compared many times. */
const keys = new WeakMap<object, string>();
