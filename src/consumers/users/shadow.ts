import { isCompat } from "../parse/lines.ts";
import { parseShadow, type ShadowEntry } from "../parse/shadow.ts";
import { changed, type Kind, pairs, present, quote, repeated } from "./kind.ts";
import { emptyPasswords } from "./passwd.ts";
import { added, passwordChange, passwordState } from "./password.ts";

type Account = ShadowEntry & Readonly<Record<string, unknown>>;

/** shadow(5): an account is an entry. */
export const shadow: Kind<ShadowEntry, Account> = {
  name: "shadow",
  read: parseShadow,
  accounts: (entries) => entries as readonly Account[],
  shown: (_entries, accounts) => ({ users: accounts }),
  changes: (change) => pairs(change, ({ user }) => user).flatMap(({ before, after }) => words(before, after)),
  notes(all) {
    const accounts = all.filter(({ user }) => !isCompat(user));
    return [
      ...repeated(accounts.map(({ user }) => user)).map((user) => `user ${quote(user)} is there more than once`),
      ...emptyPasswords(accounts),
    ];
  },
};

function words(before: ShadowEntry | undefined, after: ShadowEntry | undefined): string[] {
  if (after === undefined) return before === undefined ? [] : [`${before.user} removed`];
  const { user } = after;
  if (before === undefined) return [added(user, present(passwordState(after)))];
  const password = passwordChange(user, before, after);
  return present(
    password,
    after.mustChange === true && before.mustChange === undefined
      ? `${user} must change the password at the next login`
      : undefined,
    // it comes with every new password
    password === undefined && after.mustChange === undefined
      ? changed(`date of ${user}'s last password change`, before.lastChange, after.lastChange)
      : undefined,
    before.expires !== undefined && after.expires === undefined
      ? `${user}'s account does not expire any more`
      : after.expires !== before.expires
        ? `${user}'s account expires on ${after.expires}`
        : undefined,
    changed(`${user}'s minimum password age in days`, before.minDays, after.minDays),
    changed(`${user}'s maximum password age in days`, before.maxDays, after.maxDays),
    changed(`${user}'s days of warning before the password expires`, before.warnDays, after.warnDays),
    changed(`${user}'s days of grace after the password expired`, before.inactiveDays, after.inactiveDays),
    changed(`${user}'s flag`, before.flag, after.flag),
  );
}
