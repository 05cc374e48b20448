import { isSameList } from "../multiset.ts";
import { type KeyEntry, parseAuthorizedKeys } from "../parse/authorized-keys.ts";
import { type Account as AnyAccount, type Kind, pairs, present, quote, repeated } from "./kind.ts";

/** A key that lets somebody log in as the user; no user where it is not known whose file it is. */
type Account = KeyEntry & { readonly user?: string } & AnyAccount;

/** authorized_keys (sshd(8)): an account is a key of a user, for every user whose file it is. */
export const authorizedKeys: Kind<KeyEntry, Account> = {
  name: "authorized_keys",
  read: parseAuthorizedKeys,
  accounts: (entries, owners) =>
    owners.length === 0
      ? (entries as readonly Account[])
      : owners.flatMap((user) => entries.map((entry) => ({ user, ...entry }))),
  shown: (_entries, accounts) => ({ users: accounts }),
  changes: (change) =>
    pairs(change, ({ user, fingerprint }) => `${fingerprint} ${user}`).flatMap(({ before, after }) =>
      words(before, after),
    ),
  notes: (accounts, { add }) => [
    ...repeated(
      accounts.map(({ user, fingerprint }) => `${fingerprint}${user === undefined ? "" : ` of ${user}`}`),
    ).map((key) => `key ${key} is there more than once`),
    ...add
      .filter(({ options }) => options?.some((option) => /^cert-authority$/i.test(option)))
      .map(({ fingerprint }) => `whoever holds ${fingerprint} can make any number of keys (cert-authority)`),
  ],
};

function words(before: Account | undefined, after: Account | undefined): string[] {
  if (after === undefined) return before === undefined ? [] : [`${named(before)} removed${of("from", before)}`];
  if (before === undefined) return [`${named(after)} added${of("to", after)}`];
  const key = `key ${after.fingerprint}${of("of", after)}`;
  const [was, is] = [before, after].map(({ options = [] }) => (options.length === 0 ? "none" : options.join(",")));
  return present(
    isSameList(before.options ?? [], after.options ?? [])
      ? undefined
      : `options of ${key} changed from ${was} to ${is}`,
    before.comment === after.comment
      ? undefined
      : `comment of ${key} changed from ${quote(before.comment ?? "")} to ${quote(after.comment ?? "")}`,
  );
}

/** `key SHA256:… (ED25519, dave@laptop)` */
function named({ fingerprint, type, comment }: Account): string {
  return `key ${fingerprint} (${comment === undefined ? type : `${type}, ${comment}`})`;
}

const of = (word: string, { user }: Account) => (user === undefined ? "" : ` ${word} ${user}`);
