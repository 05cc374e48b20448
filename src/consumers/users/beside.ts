import { basename, dirname } from "node:path";
import type { Difference, State } from "../consumer.ts";
import type { KeyEntry } from "../parse/authorized-keys.ts";
import type { GroupEntry } from "../parse/group.ts";
import { isCompat } from "../parse/lines.ts";
import type { PasswdEntry } from "../parse/passwd.ts";
import type { ShadowEntry } from "../parse/shadow.ts";
import type { UsersState } from "../users.ts";
import { group, isMember, powerNote } from "./group.ts";
import { type Account, type Change, type KindName, pairs } from "./kind.ts";

/** What is known of other files, as bpfink last saw them. */
export interface Saved {
  state(path: string): State | undefined;
  /** The files that hold users' SSH keys. */
  keyFiles(): readonly string[];
}

/** Whose keys there are, the files say that are named in this directory's passwd. */
const ETC = "/etc";

/**
 * A difference whose `users` also have what the other files say of the same users. That is no news: it
 * stands in `users` alone, what came and what went is this file's own.
 */
export function withOtherFiles(path: string, difference: Difference, state: State, saved: Saved): Difference {
  const { users, add, del, notes = [] } = difference.details as Details;
  const directory = directoryOf(path, state);
  if (users === undefined || directory === undefined) return difference;
  const own = (state as unknown as UsersState).kind;
  const read = <Entry>(kind: KindName): readonly Entry[] => {
    const other = kind === own ? undefined : saved.state(`${directory}/${kind}`);
    return other?.consumer === "users" && other["kind"] === kind ? (other["entries"] as readonly Entry[]) : [];
  };
  const groups = read<GroupEntry>("group");
  const wants = new Set(users.map(({ user }) => user));
  const others = [
    read<PasswdEntry>("passwd").map((entry) => pick(entry, ["uid", "gid", "home", "shell", ...PASSWORD])),
    read<ShadowEntry>("shadow").map((entry) => pick(entry, [...PASSWORD, "lastChange", "mustChange", "expires"])),
    members(groups).map((entry) => pick(entry, ["groups"])),
    members(read<GroupEntry>("gshadow")).map((entry) => pick(entry, ["administers"])),
    own === "authorized_keys" || directory !== ETC ? [] : keysOf(saved, wants),
  ].map(firstOfEach);
  const power = own === "passwd" && add !== undefined && del !== undefined ? powerOf({ add, del }, groups) : [];
  const details = {
    ...difference.details,
    users: users.map((entry) => others.reduce((all, known) => merged(all, known.get(entry["user"])), entry)),
    ...(power.length > 0 ? { notes: [...notes, ...power] } : {}),
  };
  return { ...difference, details };
}

interface Details {
  readonly users?: readonly Account[];
  readonly add?: readonly (PasswdEntry & Account)[];
  readonly del?: readonly (PasswdEntry & Account)[];
  readonly notes?: readonly string[];
}

/** Where the other files are; undefined for a copy (`passwd-`), which nobody keeps in step with them. */
function directoryOf(path: string, state: State): string | undefined {
  if (state["kind"] === "authorized_keys") return ETC;
  return basename(path) === state["kind"] ? dirname(path) : undefined;
}

const PASSWORD = ["passwd", "lockedPasswd"] as const;

function pick(entry: object, keys: readonly string[]): Account {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => key === "user" || keys.includes(key)));
}

function members(entries: readonly GroupEntry[]): readonly Account[] {
  return group.accounts(entries, []).filter(isMember);
}

/** Of the users that are wanted: reading all keys takes its time where there are thousands of users. */
function keysOf(saved: Saved, wanted: ReadonlySet<unknown>): Account[] {
  const keys = new Map<string, Set<string>>();
  for (const path of saved.keyFiles()) {
    const state = saved.state(path) as UsersState | undefined;
    if (state?.consumer !== "users" || state.kind !== "authorized_keys") continue;
    for (const user of state.owners ?? []) {
      if (!wanted.has(user)) continue;
      const known = keys.get(user) ?? new Set();
      for (const { fingerprint } of state.entries as readonly KeyEntry[]) keys.set(user, known.add(fingerprint));
    }
  }
  return [...keys].map(([user, fingerprints]) => ({ user, keys: [...fingerprints] }));
}

/** Of a name that is there twice the C library takes the first. */
function firstOfEach(entries: readonly Account[]): ReadonlyMap<unknown, Account> {
  const byUser = new Map<unknown, Account>();
  for (const entry of entries) {
    const user = entry["user"] as string;
    if (!byUser.has(user) && !isCompat(user)) byUser.set(user, entry);
  }
  return byUser;
}

/** What a file says itself stays. A password is one thing, whether it is locked or not. */
function merged(entry: Account, other: Account = {}): Account {
  const known = "passwd" in entry ? ["user", ...PASSWORD] : [];
  const rest = Object.entries(other).filter(([key]) => !known.includes(key));
  return { ...entry, ...Object.fromEntries(rest), ...entry };
}

/** A primary group gives the same rights as any other (credentials(7)). Who is root has them all. */
function powerOf(change: Change<PasswdEntry & Account>, groups: readonly GroupEntry[]): string[] {
  return pairs(change, ({ user }) => user).flatMap(({ before, after }) => {
    if (after === undefined || after.uid === 0 || after.gid === before?.gid) return [];
    const name = groups.find(({ gid }) => gid !== undefined && gid === after.gid)?.group;
    return name === undefined ? [] : powerNote(after.user, name);
  });
}
