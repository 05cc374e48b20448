import { type GroupEntry, parseGroup, parseGshadow } from "../parse/group.ts";
import { isCompat } from "../parse/lines.ts";
import type { Password } from "../parse/password.ts";
import {
  type Account as AnyAccount,
  type Change,
  changed,
  type Kind,
  pairs,
  present,
  quote,
  repeated,
} from "./kind.ts";
import { added, passwordChange, passwordState } from "./password.ts";

/** A group itself, without its members. */
type Group = Password & { readonly group: string; readonly gid?: number };

/** A user of groups: joining one is a change of the user. Names in order of the file. */
interface Member {
  readonly user: string;
  readonly groups: readonly string[];
  /** Of gshadow. */
  readonly administers?: readonly string[];
}

type Account = (Group | Member) & AnyAccount;

const base = {
  accounts,
  shown: (entries: readonly GroupEntry[], all: readonly Account[]) => ({
    users: all.filter(isMember),
    groups: entries,
  }),
  changes,
  notes,
};

/** group(5): an account is a group, and also each user that is a member of some. */
export const group: Kind<GroupEntry, Account> = { name: "group", read: parseGroup, ...base };

/** gshadow(5), likewise. */
export const gshadow: Kind<GroupEntry, Account> = { name: "gshadow", read: parseGshadow, ...base };

export function isMember(account: Account): account is Account & Member {
  return "user" in account;
}

function isGroup(account: Account): account is Account & Group {
  return "group" in account;
}

function accounts(entries: readonly GroupEntry[]): Account[] {
  const groups = entries.map(({ members: _, admins: __, ...itself }) => itself);
  const joined = new Map<string, Set<string>>();
  const administered = new Map<string, Set<string>>();
  for (const { group: name, members, admins = [] } of entries) {
    for (const user of members) join(joined, user, name);
    for (const user of admins) join(administered, user, name);
  }
  const users = [...new Set([...joined.keys(), ...administered.keys()])].map((user) => ({
    user,
    groups: [...(joined.get(user) ?? [])],
    ...(administered.has(user) ? { administers: [...administered.get(user)!] } : {}),
  }));
  return [...groups, ...users];
}

function join(map: Map<string, Set<string>>, user: string, name: string): void {
  const names = map.get(user);
  if (names === undefined) map.set(user, new Set([name]));
  else names.add(name);
}

function changes({ add, del }: Change<Account>): string[] {
  const groups = pairs({ add: add.filter(isGroup), del: del.filter(isGroup) }, (account) => account.group);
  return [
    ...groups.flatMap(({ before, after }) => groupWords(before, after)),
    ...memberships({ add, del }).flatMap(({ user, joined, left, appointed, dismissed }) => [
      ...joined.map((name) => `${user} joined ${name}`),
      ...left.map((name) => `${user} left ${name}`),
      ...appointed.map((name) => `${user} became an administrator of ${name}`),
      ...dismissed.map((name) => `${user} is no administrator of ${name} any more`),
    ]),
  ];
}

function groupWords(before: Group | undefined, after: Group | undefined): string[] {
  if (after === undefined) return before === undefined ? [] : [`group ${before.group} removed`];
  const name = `group ${after.group}`;
  if (before === undefined) {
    const gid = after.gid === undefined ? undefined : `gid ${after.gid}`;
    const password = after.passwd?.includes(":") === true ? passwordState(after) : undefined;
    return [added(name, present(gid, password))];
  }
  // a group without a password is closed to others (newgrp(1)), unlike a user's account
  const isGone = after.passwd === "empty" && before.passwd !== "empty";
  const password = isGone ? `${name}'s password removed` : passwordChange(name, before, after);
  return present(changed(`${name}'s gid`, before.gid, after.gid), password);
}

function memberships({ add, del }: Change<Account>) {
  return pairs({ add: add.filter(isMember), del: del.filter(isMember) }, ({ user }) => user).map(
    ({ before, after }) => ({
      user: (after ?? before)?.user ?? "",
      joined: without(after?.groups, before?.groups),
      left: without(before?.groups, after?.groups),
      appointed: without(after?.administers, before?.administers),
      dismissed: without(before?.administers, after?.administers),
    }),
  );
}

function without(names: readonly string[] = [], others: readonly string[] = []): string[] {
  const known = new Set(others);
  return names.filter((name) => !known.has(name));
}

/**
 * Groups whose members can become root, or read every secret, in a usual installation: sudoers of
 * Debian, Fedora and Ubuntu (sudo, wheel, admin); the sockets of docker(1), incus(1), libvirtd(8) and
 * LXD; raw disks (disk), shadow, and memory (kmem).
 */
const POWERFUL = new Set([
  "root",
  "sudo",
  "wheel",
  "admin",
  "docker",
  "podman",
  "lxd",
  "incus-admin",
  "libvirt",
  "disk",
  "shadow",
  "kmem",
]);

/** What it can mean that the user came to the group. */
export function powerNote(user: string, name: string): string[] {
  return POWERFUL.has(name) ? [`members of ${quote(name)} can usually become root: ${quote(user)} now, too`] : [];
}

function notes(all: readonly Account[], change: Change<Account>): string[] {
  const groups = all.filter(isGroup).filter((account) => !isCompat(account.group));
  const powerful = memberships(change)
    .filter(({ user }) => user !== "root")
    .flatMap(({ user, joined, appointed }) =>
      [...new Set([...joined, ...appointed])].flatMap((name) => powerNote(user, name)),
    );
  return [
    ...repeated(groups.map((account) => account.group)).map((name) => `group ${quote(name)} is there more than once`),
    ...sharedIds(groups),
    ...powerful,
  ];
}

function sharedIds(groups: readonly Group[]): string[] {
  const byId = new Map<number, Set<string>>();
  for (const { group: name, gid } of groups) {
    if (gid !== undefined) byId.set(gid, (byId.get(gid) ?? new Set()).add(name));
  }
  return [...byId]
    .filter(([, names]) => names.size > 1)
    .map(([gid, names]) => `gid ${gid} is shared by ${[...names].map(quote).join(", ")}`);
}
