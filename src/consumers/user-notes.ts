import { isSameList } from "./multiset.ts";
import { isCompat, type Problem } from "./parse/lines.ts";
import type { UserEntry } from "./users.ts";

interface Lines {
  readonly entries: readonly UserEntry[];
  readonly problems: readonly Problem[];
}

/** What changed in a file whose entries are the same as before. */
export function notesOnLines(before: Lines, after: Lines): string[] {
  if (!isSameList(before.entries, after.entries)) return ["order changed"];
  const known = new Set(before.problems.map(textOf));
  const unreadable = after.problems.map(textOf).filter((problem) => !known.has(problem));
  return unreadable.length > 0 ? unreadable : ["only comments, blank lines or unreadable lines changed"];
}

/** What an administrator should know of the accounts there are now. */
export function notesOnAccounts(entries: readonly UserEntry[]): string[] {
  const accounts = entries.filter(({ user }) => !isCompat(user));
  const roots = accounts.filter((entry) => "uid" in entry && entry.uid === 0);
  return [
    ...repeated(accounts.map(({ user }) => user)).map((user) => `user ${quote(user)} is there more than once`),
    ...(roots.length > 1 ? [`uid 0 is shared by ${roots.map(({ user }) => quote(user)).join(", ")}`] : []),
    ...accounts
      .filter(({ passwd }) => passwd === "empty")
      .map(({ user }) => `user ${quote(user)} has an empty password`),
  ];
}

function textOf({ line, reason }: Problem): string {
  return `line ${line}: ${reason}`;
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(names.filter((name) => seen.has(name) || !seen.add(name)))];
}

function quote(name: string): string {
  return JSON.stringify(name);
}
