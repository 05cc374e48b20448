import type { Fingerprint } from "../consumer.ts";
import { schemeOf } from "../../hashes.ts";

/** What is said of a password: never the field, its salt, or a part of them. */
export interface Password {
  /** `locked`, `empty`, `none`, or `SCHEME:XXXXXXXX`; not there where another file holds it ("x" in passwd). */
  readonly passwd?: string;
  /** `SCHEME:XXXXXXXX` of a hash behind a lock: the same as `passwd` shows when it is unlocked. */
  readonly lockedPasswd?: string;
}

/**
 * The password field of shadow(5) and gshadow(5). "" lets anybody in; "*" and its kin match no
 * password; one or more "!" lock what follows, which passwd -u would bring back.
 */
export function describePassword(field: string, fingerprint: Fingerprint): Password {
  if (field === "") return { passwd: "empty" };
  if (NO_PASSWORD.test(field)) return { passwd: "none" };
  const behind = field.replace(LOCKS, "");
  if (behind === field) return { passwd: shown(field, fingerprint) };
  return behind === "" ? { passwd: "locked" } : { passwd: "locked", lockedPasswd: shown(behind, fingerprint) };
}

/** The password field of passwd(5): "x" refers to shadow. */
export function describeOpenPassword(field: string, fingerprint: Fingerprint): Password {
  return field === "x" ? {} : describePassword(field, fingerprint);
}

/** Whether the field reads as a password's state, so that the field before it is a name. */
function isPassword(field: string): boolean {
  const behind = field.replace(LOCKS, "");
  return field !== "" && (behind === "" || NO_PASSWORD.test(field) || schemeOf(behind) !== "unknown");
}

/**
 * Whether the first field of an entry is a name, and not a hash: a line that lost its name, the colon after it,
 * or its first half, must not tell its hash. A credible second field shows it; if there is none, only
 * a plain name does, on a line that is otherwise whole.
 */
export function isEntryName(name: string, password: string, isWhole: boolean): boolean {
  if (isPassword(password) || COMPAT_NAME.test(name)) return true;
  return isWhole && (password === "" || PLAIN_NAME.test(name));
}

/** What useradd(8) takes for a name unless told otherwise. */
const PLAIN_NAME = /^[a-z_][a-z0-9_-]{0,31}\$?$/;
const COMPAT_NAME = /^[+-](?:@?[a-z_][a-z0-9_-]{0,31})?$/;
/** "*", Solaris's "*NP*" and "*LK*", and the tokens crypt(3) fails with, which match nothing. */
const NO_PASSWORD = /^\*(?:NP\*|LK\*|0|1)?$/;
/** "!", "!!" (Red Hat), "!*" (Debian's adduser --disabled-login), "*LK*" before a hash (Solaris). */
const LOCKS = /^(?:\*LK\*)?[!*]*/;

function shown(hash: string, fingerprint: Fingerprint): string {
  return `${schemeOf(hash)}:${fingerprint(hash)}`;
}
