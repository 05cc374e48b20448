import { createHash, createHmac } from "node:crypto";

/**
 * The chain: each line carries the hash of the line before (`prev`) and its own (`hash`), so that none
 * can be changed, left out or put in without the next one telling. Its own is SHA-256 over the bytes
 * of the line without `,"hash":"…"`, and so over `prev`; with a key it is HMAC-SHA-256 (RFC 2104).
 */
export interface Link {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}

/** `prev` of a chain's first line. */
export const GENESIS = "0".repeat(64);

/** Before a hash that was made with the chain's key: who has no key must not pass off one that needs none. */
const KEYED = "keyed:";

export const isKeyed = (hash: string): boolean => hash.startsWith(KEYED);

/** Nothing that others choose comes before these keys, so nobody can write what is taken for them. */
const UNSEALED = /^\{"time":"[^"\\]*","seq":\d+(?=,)/;
const SEALED =
  /^\{"time":"[^"\\]*","seq":(\d{1,16}),"prev":"((?:keyed:)?[0-9a-f]{64})"(,"hash":"((?:keyed:)?[0-9a-f]{64})"),/;

/** SEALED's longest match: a time of at most 40 characters, 16 digits, two keyed hashes. */
const LONGEST_HEAD = 256;

/**
 * Puts `prev` and `hash` into a line that has neither.
 *
 * @param line JSON that begins with the keys `time` and `seq` and has others behind them
 */
export function seal(line: string, prev: string, key?: Uint8Array): { readonly line: string; readonly hash: string } {
  const at = UNSEALED.exec(line)?.[0].length;
  if (at === undefined) throw new Error(`no line of a chain: ${line.slice(0, 80)}`);
  const head = `${line.slice(0, at)},"prev":"${prev}"`;
  const tail = line.slice(at);
  const hash = hashOf(Buffer.from(head + tail), key);
  return { line: `${head},"hash":"${hash}"${tail}`, hash };
}

/**
 * Reads what a line says of its place in the chain; undefined when it is none of a chain.
 *
 * `canonical` is what its hash is made of. It is made in place: the bytes of `line` are changed. `head` of its bytes stood
 * before the hash.
 */
export function unseal(line: Buffer): (Link & { readonly canonical: Buffer; readonly head: number }) | undefined {
  const match = SEALED.exec(line.toString("latin1", 0, LONGEST_HEAD));
  if (match === null) return undefined;
  const [all, seq, prev, member, hash] = match as unknown as [string, string, string, string, string];
  const head = all.length - 1 - member.length;
  line.copyWithin(member.length, 0, head);
  return { seq: Number(seq), prev, hash, canonical: line.subarray(member.length), head };
}

/** A line as it was before unseal(), in new bytes. */
export function resealed({ hash, canonical, head }: NonNullable<ReturnType<typeof unseal>>): Buffer {
  return Buffer.concat([canonical.subarray(0, head), Buffer.from(`,"hash":"${hash}"`), canonical.subarray(head)]);
}

/** @param canonical a line's bytes without its hash */
export function hashOf(canonical: Uint8Array, key?: Uint8Array): string {
  if (key !== undefined) return KEYED + createHmac("sha256", key).update(canonical).digest("hex");
  return createHash("sha256").update(canonical).digest("hex");
}
