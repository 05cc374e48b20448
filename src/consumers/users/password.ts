import type { Password } from "../parse/password.ts";

/** What became of a password, in words: `bob's password changed`; undefined when it stayed. */
export function passwordChange(who: string, before: Password, after: Password): string | undefined {
  const { passwd: was, lockedPasswd: wasBehind } = before;
  const { passwd: is, lockedPasswd: isBehind } = after;
  if (was === is && wasBehind === isBehind) return undefined;
  const what = `${who}'s password`;
  if (is === undefined) return `${what} moved to another file`;
  if (is === "empty") return `${what} removed: none is asked for`;
  if (is === "none") return `${what} removed: none is accepted`;
  if (is === "locked") {
    if (was === "locked") return `${what} changed behind the lock`;
    return isBehind === undefined || isBehind === was ? `${what} locked` : `${what} changed and locked`;
  }
  if (was === "locked" && is === wasBehind) return `${what} unlocked`;
  return wasHash(was) ? `${what} changed` : `${what} set`;
}

/** How a new account can be logged into: `password locked`; undefined when another file says it. */
export function passwordState({ passwd }: Password): string | undefined {
  if (passwd === undefined) return undefined;
  if (passwd === "empty") return "no password is asked for";
  if (passwd === "none") return "no password is accepted";
  return passwd === "locked" ? "password locked" : "password set";
}

/** Not a word of ours for a field without a hash. */
const wasHash = (passwd: string | undefined) => passwd?.includes(":") === true;

/** `bob added (uid 1001, password locked)`. */
export function added(what: string, details: readonly string[]): string {
  return details.length === 0 ? `${what} added` : `${what} added (${details.join(", ")})`;
}
