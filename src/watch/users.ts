import { readBelow } from "./read.ts";

/** As the users consumer's, in bytes. */
const PASSWD_LIMIT = 64 << 20;

/**
 * Names of user ids of this host, from /etc/passwd as it is at the moment of asking: a user made a
 * moment ago has a name already. Where there is none that can be read, ids do.
 */
export function userName(uid: number): string {
  const passwd = readBelow("/", "/etc/passwd", PASSWD_LIMIT) ?? new Uint8Array();
  const entry = new RegExp(`(?:^|\\n)([^:\\n]+):[^:\\n]*:${uid}(?:[:\\n]|$)`);
  return entry.exec(new TextDecoder().decode(passwd))?.[1] ?? String(uid);
}
