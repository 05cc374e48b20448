import type { Fingerprint } from "./consumer.ts";
import { endsInHash, looksLikeHash, redacted } from "../hashes.ts";

/** What hashes of crypt(5) are made of. */
const HASH_PIECE = /^[./A-Za-z0-9$=,+_-]{5,}$/;
/** Names of users, services, hosts: a piece of a hash has capitals, a slash or a dollar sign, or is too short to tell. */
const PLAIN_NAME = /^[a-z_][a-z0-9_.-]*\$?$/;
/** Of the hashes that are (`$3$`, crypt(5)). */
const HEXADECIMAL = /^(?=.*\d)[0-9a-f]{8,}$/;
/** What follows the hash in shadow(5), or some of it. */
const SHADOW_TAIL = /^(?::-?\d*){2,8}\r?$/;
const LOCKS = /^[!*]+/;
/** `root:`, and the hash is on the next line. */
const NAME_ALONE = /^[^\s:]+:[!*]*\r?$/;
/** `root:$6`, and the rest of the mark is on the next line. */
const TORN_MARK = /^[^\s:]+:[!*]*\$[A-Za-z0-9-]{0,20}\$?\r?$/;
/** Locks, the rest of a hash, and what follows: a field, the end of a string. */
const SECOND_HALF = /^([!*]*)([^:\r"'`;)\]}]*)([^]*)$/;
/** Too little of a hash to hide, and enough of shadow(5) to know what the line before ended in. */
const SHORT_REST = /^[./A-Za-z0-9$=,+_-]{0,4}(?::-?\d*){5,8}\r?$/;

/**
 * Lines of a shadow(5) that a newline was put into, wherever in the hash: both halves are replaced by
 * their fingerprints. A half has no mark that tells it; what stands beside it does.
 */
export function redactTorn(lines: readonly string[], fingerprint: Fingerprint): string[] {
  const hide = (piece: string) => (isPiece(piece) ? redacted(piece, fingerprint) : piece);
  const torn = lines.map((line, i) => isSecondHalf(line, lines[i - 1] ?? ""));
  return lines.map((line, i) => {
    if (torn[i] === true) {
      const [, locks = "", first = "", rest = ""] = SECOND_HALF.exec(line) ?? [];
      return locks + hide(first) + rest;
    }
    if ((torn[i + 1] !== true && !SHORT_REST.test(lines[i + 1] ?? "")) || !line.includes(":")) return line;
    const [, head = "", last = "", end = ""] = /^(.*:[!*]*)([^:]*?)(\r?)$/.exec(line) ?? [];
    return head + hide(last) + end;
  });
}

/** Whether a text reads like a piece of a hash, and not like a name. */
export function isPiece(text: string): boolean {
  const bare = text.replace(LOCKS, "");
  return HASH_PIECE.test(bare) && (!PLAIN_NAME.test(bare) || HEXADECIMAL.test(bare));
}

/** Whether a line begins with what the line before should have ended in. */
export function isSecondHalf(line: string, before: string): boolean {
  const [, , first = "", rest = ""] = SECOND_HALF.exec(line) ?? [];
  if (NAME_ALONE.test(before) && looksLikeHash(first)) return true;
  const hasTail = SHADOW_TAIL.test(rest);
  if (hasTail && endsInMark(before)) return HASH_PIECE.test(first);
  return isPiece(first) && (hasTail || endsInMark(before));
}

const endsInMark = (line: string) => TORN_MARK.test(line) || endsInHash(line);
