import { basename } from "node:path";
import { isCompat } from "../parse/lines.ts";
import { type PasswdEntry, parsePasswd } from "../parse/passwd.ts";
import { type Change, changed, type Kind, pairs, present, quote, repeated } from "./kind.ts";
import { added, passwordChange, passwordState } from "./password.ts";

type Account = PasswdEntry & Readonly<Record<string, unknown>>;

/** passwd(5): an account is an entry. */
export const passwd: Kind<PasswdEntry, Account> = {
  name: "passwd",
  read: parsePasswd,
  accounts: (entries) => entries as readonly Account[],
  shown: (_entries, accounts) => ({ users: accounts }),
  changes: (change) => pairs(change, ({ user }) => user).flatMap(({ before, after }) => words(before, after)),
  notes,
};

function words(before: PasswdEntry | undefined, after: PasswdEntry | undefined): string[] {
  if (after === undefined) return before === undefined ? [] : [`${before.user} removed`];
  const { user } = after;
  if (before === undefined) {
    const uid = after.uid === undefined ? undefined : `uid ${after.uid}`;
    return [added(user, present(uid, after.shell === "" ? undefined : after.shell, passwordState(after)))];
  }
  return present(
    changed(`${user}'s uid`, before.uid, after.uid),
    changed(`${user}'s gid`, before.gid, after.gid),
    changed(`${user}'s full name`, before.gecos, after.gecos),
    changed(`${user}'s home`, before.home, after.home),
    changed(`${user}'s shell`, before.shell, after.shell),
    passwordChange(user, before, after),
  );
}

function notes(all: readonly Account[], change: Change<Account>): string[] {
  const accounts = all.filter(({ user }) => !isCompat(user));
  const roots = accounts.filter(({ uid }) => uid === 0).map(({ user }) => quote(user));
  return [
    ...repeated(accounts.map(({ user }) => user)).map((user) => `user ${quote(user)} is there more than once`),
    ...(roots.length > 1 ? [`uid 0 is shared by ${roots.join(", ")}`] : []),
    ...emptyPasswords(accounts),
    ...pairs(change, ({ user }) => user).flatMap(({ before, after }) =>
      before !== undefined && after !== undefined && !isLoginShell(before.shell) && isLoginShell(after.shell)
        ? [`user ${quote(after.user)} has a login shell now`]
        : [],
    ),
  ];
}

export function emptyPasswords(accounts: readonly { readonly user: string; readonly passwd?: string }[]): string[] {
  return accounts
    .filter(({ passwd: state }) => state === "empty")
    .map(({ user }) => `user ${quote(user)} has an empty password`);
}

/** What ends at once (nologin(8), false(1)); an empty field is /bin/sh (passwd(5)). */
const NO_SHELLS = new Set(["nologin", "false", "true", "null", "sync", "halt", "shutdown"]);

function isLoginShell(shell: string): boolean {
  return !NO_SHELLS.has(basename(shell));
}
