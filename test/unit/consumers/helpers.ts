import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import type { FileLook, Keys } from "../../../src/consumers/consumer.ts";

const hmac = (content: string | Uint8Array) => createHmac("sha256", "test").update(content).digest("hex");

export const keys: Keys = {
  fingerprint: (secret) => hmac(secret).slice(0, 8),
  keyedDigest: (content) => `keyed:${hmac(content)}`,
};

export const print = keys.fingerprint;

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export const meta = { mode: 0o640, uid: 0, gid: 42, inode: "18446744073709551615" } as const;

export function fileLook(content: string | Uint8Array, changes: Partial<FileLook> = {}): FileLook {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { type: "file", ...meta, size: bytes.length, digest: sha256(bytes), content: bytes, ...changes };
}

/**
 * Upper-case letters that are no hexadecimal digits: nothing that is printed has five of them in a row
 * by chance, as it would have of the whole alphabet.
 */
const letters = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."GHJKLMNPQRSTUVWXYZ./"), minLength: length, maxLength: length });

/** A password field, and what in it must never be seen. */
export interface Hash {
  readonly field: string;
  readonly secrets: readonly string[];
}

const marked = (prefix: string, salt: number, hash: number, between = "$"): fc.Arbitrary<Hash> =>
  fc.tuple(letters(salt), letters(hash)).map(([s, h]) => ({ field: `${prefix}${s}${between}${h}`, secrets: [s, h] }));

const unmarked = (prefix: string, length: number): fc.Arbitrary<Hash> =>
  letters(length).map((hash) => ({ field: `${prefix}${hash}`, secrets: [hash] }));

/** One of every scheme of crypt(5), in its own shape. */
export const hashes: Record<string, fc.Arbitrary<Hash>> = {
  yescrypt: marked("$y$j9T$", 22, 43),
  "gost-yescrypt": marked("$gy$j9T$", 22, 43),
  "sm3-yescrypt": marked("$sm3y$j9T$", 22, 43),
  sm3: fc.constantFrom("$sm3$", "$sm3$rounds=5000$").chain((prefix) => marked(prefix, 16, 43)),
  argon2: marked("$argon2id$v=19$m=65536,t=3,p=4$", 22, 43),
  scrypt: marked("$7$CU..../....", 20, 43),
  bcrypt: fc.constantFrom("$2a$12$", "$2b$12$", "$2x$12$", "$2y$12$").chain((prefix) => marked(prefix, 22, 31, "")),
  sha512: fc.constantFrom("$6$", "$6$rounds=656000$").chain((prefix) => marked(prefix, 16, 86)),
  sha256: marked("$5$", 16, 43),
  sunmd5: fc.constantFrom("$md5$", "$md5,rounds=5000$").chain((prefix) => marked(prefix, 8, 22, "$$")),
  sha1: marked("$sha1$40000$", 8, 28),
  md5: marked("$1$", 8, 22),
  nt: unmarked("$3$$", 32),
  bsdi: unmarked("_z", 18),
  des: unmarked("zx", 11),
};

export const anyHash = fc.oneof(...Object.values(hashes));

const RARE = /[G-Z!#$%*+,./:;?-]{5,}/g;

/** Every run of five characters of the secrets that a text holds. The secrets are of rare characters only. */
export function leaks(text: string, secrets: readonly string[]): string[] {
  const shown = new Set((text.match(RARE) ?? []).flatMap(runs));
  return secrets.flatMap((secret) => {
    if (secret.length >= 5 && secret.match(RARE)?.[0] !== secret) throw new Error(`cannot look for ${secret}`);
    return runs(secret).filter((run) => shown.has(run));
  });
}

function runs(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 4) }, (_, i) => text.slice(i, i + 5));
}
