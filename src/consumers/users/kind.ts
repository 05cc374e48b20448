import type { Fingerprint } from "../consumer.ts";
import type { Parsed } from "../parse/lines.ts";

/** An entry of `add`, `del` and `users`: plain JSON. */
export type Account = Readonly<Record<string, unknown>>;

/** What came and what went. */
export interface Change<A extends Account = Account> {
  readonly add: readonly A[];
  readonly del: readonly A[];
}

/** One of the files that make up the users of a machine. All functions are pure and never throw. */
export interface Kind<Entry extends object = object, A extends Account = Account> {
  readonly name: KindName;
  /** What the state holds: free of secrets. */
  read(content: Uint8Array, fingerprint: Fingerprint): Parsed<Entry>;
  /** The accounts that entries make, for whoever the file is of (`owners`, of key files). */
  accounts(entries: readonly Entry[], owners: readonly string[]): readonly A[];
  /** All that there is now: `users`, and what else the kind has. */
  shown(entries: readonly Entry[], accounts: readonly A[]): Readonly<Record<string, unknown>>;
  /** Each change in words. */
  changes(change: Change<A>): string[];
  /** What an administrator should know of the accounts there are, and of the change. */
  notes(accounts: readonly A[], change: Change<A>): string[];
}

export type KindName = "passwd" | "shadow" | "group" | "gshadow" | "authorized_keys";

/** Pairs what went with what came under the same name, in order of what came; the rest of what went last. */
export function pairs<A extends Account>(
  { add, del }: Change<A>,
  nameOf: (account: A) => unknown,
): { readonly before: A | undefined; readonly after: A | undefined }[] {
  const gone = new Map<unknown, A[]>();
  for (const account of del) {
    const same = gone.get(nameOf(account));
    if (same === undefined) gone.set(nameOf(account), [account]);
    else same.push(account);
  }
  const came = add.map((after) => ({ before: gone.get(nameOf(after))?.shift(), after }));
  const rest = [...gone.values()].flat().map((before) => ({ before, after: undefined }));
  return [...came, ...rest];
}

/** `bob's shell changed from /bin/sh to /bin/false`; undefined when it did not. */
export function changed(what: string, before: unknown, after: unknown): string | undefined {
  if (before === after) return undefined;
  if (isNothing(before)) return `${what} set to ${String(after)}`;
  if (isNothing(after)) return `${what} ${String(before)} removed`;
  return `${what} changed from ${String(before)} to ${String(after)}`;
}

const isNothing = (value: unknown) => value === undefined || value === "";

/** What is there, of what may be. */
export function present<T>(...values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

/** The names that are there more than once. */
export function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(names.filter((name) => seen.has(name) || !seen.add(name)))];
}

/** A name in a note, where it may hold anything. */
export function quote(name: string): string {
  return JSON.stringify(name);
}
