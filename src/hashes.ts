import { isRandom, isUnmarkedHash, UNMARKED_SCHEMES, UNMARKED_WORD } from "./unmarked.ts";

/** What is shown for a secret: `Fingerprint` of the consumers. */
type Show = (secret: string) => string;

/**
 * What password hashes look like. The id is what stands between the first dollar signs.
 * Sources: crypt(5); Apache's htpasswd ("apr1"); PHC string format (argon2, scrypt, pbkdf2).
 */
const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["y", "yescrypt"],
  ["gy", "gost-yescrypt"],
  ["sm3y", "sm3-yescrypt"],
  ["7", "scrypt"],
  ["2", "bcrypt"],
  ["2a", "bcrypt"],
  ["2b", "bcrypt"],
  ["2x", "bcrypt"],
  ["2y", "bcrypt"],
  ["6", "sha512"],
  ["5", "sha256"],
  ["sm3", "sm3"],
  ["sha1", "sha1"],
  ["md5", "sunmd5"],
  ["1", "md5"],
  ["apr1", "apr1"],
  ["3", "nt"],
  ["argon2d", "argon2"],
  ["argon2i", "argon2"],
  ["argon2id", "argon2"],
  ["scrypt", "scrypt"],
  ["P", "phpass"],
  ["H", "phpass"],
  ["S", "phpass"],
  ["8", "pbkdf2"],
  ["9", "scrypt"],
  ["14", "sha1"],
  ["pbkdf2", "pbkdf2"],
  ["pbkdf2-sha1", "pbkdf2"],
  ["pbkdf2-sha256", "pbkdf2"],
  ["pbkdf2-sha512", "pbkdf2"],
]);

const MODULAR_ID = /^\$([A-Za-z0-9-]{1,20})[$,]/;
const { des: DES, bsdi: BSDI, bigcrypt: BIGCRYPT } = UNMARKED_SCHEMES;

/** The scheme of a whole password field, "unknown" for what is none of crypt(5)'s. */
export function schemeOf(field: string): string {
  const id = MODULAR_ID.exec(field)?.[1];
  if (id !== undefined) return SCHEMES.get(id) ?? "unknown";
  if (BSDI.test(field)) return "bsdi";
  if (BIGCRYPT.test(field)) return "bigcrypt";
  return DES.test(field) ? "des" : "unknown";
}

/** Whether a word is a hash by the mark it begins with; an unknown mark counts on long words. */
export function isMarkedHash(word: string): boolean {
  const id = MODULAR_ID.exec(word)?.[1];
  return BSDI.test(word) || (id !== undefined && (SCHEMES.has(id) || (word.length > 20 && !/[\s{}]/.test(word))));
}

/**
 * Whether a word by itself could be a hash. DES has no mark, so that 13 letters or digits of one
 * kind only ("administrator", "192.168.10.12") count as a word; a hash is that with odds of 1 in 10⁵.
 */
export function looksLikeHash(word: string): boolean {
  if (isMarkedHash(word) || isUnmarkedHash(word)) return true;
  return DES.test(word) && [/[A-Z]/, /[a-z]/, /[./0-9]/].filter((kind) => kind.test(word)).length > 1;
}

const ids = [...SCHEMES.keys()].join("|");

/** What stands in a text for a secret. */
export function redacted(secret: string, fingerprint: Show): string {
  return `[redacted ${fingerprint(secret)}]`;
}

/** Hashes anywhere in a text replaced. */
export function redactHashes(text: string, fingerprint: Show): string {
  const hide = (hash: string) => redacted(hash, fingerprint);
  return text
    .replace(HASH_TOKEN, hide)
    .replace(UNKNOWN_MARK, (word) => (isRandom(word.split(DOLLARS).at(-1) ?? "") ? hide(word) : word))
    .replace(UNMARKED_WORD, (word) => (isUnmarkedHash(word) ? hide(word) : word));
}

/** Whether a line ends within a hash, or with one. */
export function endsInHash(line: string): boolean {
  const end = line.trimEnd().slice(-MAX_HASH);
  return ENDS_IN_MARKED.test(end) || isMarkedHash((end.split(/[:\s]/).at(-1) ?? "").replace(/^[!*]+/, ""));
}

/** In characters: the longest of crypt(5) has some 130. */
const MAX_HASH = 250;

/** The same for messages, where no key is at hand. */
export function withoutHashes(text: string): string {
  return redactHashes(text, () => "hash");
}

/** As crypt(5) writes it, as a shell needs it (`\\$6\\$`), and as a URL does. */
const DOLLAR = "(?:\\\\{0,3}\\$|%24)";
const DOLLARS = new RegExp(DOLLAR);
const BODY = "[./A-Za-z0-9$=,+_%\\\\-]";
const BODY_END = "[./A-Za-z0-9$=,+_-]";
/** Marked as a hash is, by a scheme that we do not know; `"$a$b"` of a shell is none, for its end is no random word. */
const UNKNOWN_MARK = new RegExp(`${DOLLAR}[A-Za-z0-9-]{1,20}${DOLLAR}${BODY}{19,}${BODY_END}`, "g");

const ENDS_IN_MARKED = new RegExp(`${DOLLAR}(?:${ids})(?:${DOLLAR}|,)${BODY}*$`);

/** Schemes in braces: RFC 2307's, and Dovecot's, which say how they are encoded, too. */
const BRACED = [
  "(?:[A-Z]{2,6}-)?S?(?:SHA|MD[45])-?\\d{0,3}(?:-CRYPT)?|(?:DES|BLF)-CRYPT|CRYPT|CLEAR(?:TEXT)?|PLAIN(?:-TRUNC)?",
  "PBKDF2[\\w-]{0,20}|ARGON2(?:ID?)?|SCRAM-SHA-\\d{1,3}|LANMAN|NTLM|RPA|OTP|SKEY|crypt|smd5|ssha\\d{0,3}",
].join("|");

/** A hash by its own mark (grub.pbkdf2: grub-mkpasswd-pbkdf2(1); *: MySQL's PASSWORD()). */
const HASH_TOKEN = new RegExp(
  [
    `${DOLLAR}(?:${ids})(?:${DOLLAR}|,)${BODY}{4,}${BODY_END}`,
    "grub\\.pbkdf2\\.[\\w.]{5,}",
    "SCRAM-SHA-\\d{1,3}\\$[0-9A-Za-z+/=:$]{5,}",
    `\\{(?:${BRACED})(?:\\.(?:hex|HEX|b64|B64|base64|BASE64))?\\}[./A-Za-z0-9$=,+_-]{5,}`,
    "\\*[0-9A-F]{40}\\b",
    "\\bmd5[0-9a-f]{32}\\b",
  ].join("|"),
  "g",
);
