import { createHash } from "node:crypto";

/** What can be told of a public key. */
export interface PublicKey {
  /** `SHA256:` and the digest in base64, as ssh-keygen -l shows it; of a certificate, its key's. */
  readonly fingerprint: string;
  /** As ssh-keygen -l names it: `ED25519`, `RSA`, `ECDSA-SK-CERT`, … */
  readonly type: string;
  readonly bits: number;
}

/** One kind of key: how its parts follow each other in the blob (RFC 4253, 6.6; OpenSSH's PROTOCOL.u2f). */
interface Algorithm {
  readonly type: string;
  /** How many strings make the key. */
  readonly parts: number;
  /** Bits, by the part that has them. */
  readonly bits: (parts: readonly Uint8Array[]) => number;
  /** Its parts are mpints (RFC 4251, 5). */
  readonly numbers?: true;
}

const CURVES: Readonly<Record<string, number>> = { nistp256: 256, nistp384: 384, nistp521: 521 };
const curve = (parts: readonly Uint8Array[]) => CURVES[text(parts[0])] ?? 0;
const fixed = (parts: readonly Uint8Array[]) => (parts[0]?.length === 32 ? 256 : 0);

/** sshkey.c, keyimpls. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ["ssh-ed25519", { type: "ED25519", parts: 1, bits: fixed }],
  ["ssh-rsa", { type: "RSA", parts: 2, bits: (parts) => bitLength(parts[1]), numbers: true }],
  ["ssh-dss", { type: "DSA", parts: 4, bits: (parts) => bitLength(parts[0]), numbers: true }],
  ["ecdsa-sha2-nistp256", { type: "ECDSA", parts: 2, bits: curve }],
  ["ecdsa-sha2-nistp384", { type: "ECDSA", parts: 2, bits: curve }],
  ["ecdsa-sha2-nistp521", { type: "ECDSA", parts: 2, bits: curve }],
  ["sk-ssh-ed25519@openssh.com", { type: "ED25519-SK", parts: 2, bits: fixed }],
  ["sk-ecdsa-sha2-nistp256@openssh.com", { type: "ECDSA-SK", parts: 3, bits: curve }],
]);

const CERTIFICATE = /-cert-v01(?=@openssh\.com$)/;

/** Names of signatures, which sshd takes for those of their keys (sshkey_type_from_name). */
const ALIASES: Readonly<Record<string, string>> = {
  "rsa-sha2-256": "ssh-rsa",
  "rsa-sha2-512": "ssh-rsa",
  "webauthn-sk-ecdsa-sha2-nistp256@openssh.com": "sk-ecdsa-sha2-nistp256@openssh.com",
};

/** The name of a key, or of a certificate's: `ssh-ed25519-cert-v01@openssh.com`, `sk-ssh-ed25519-cert-v01@openssh.com`. */
function plainName(name: string): string {
  const bare = name.replace(CERTIFICATE, "");
  const plain = bare === name || name.startsWith("sk-") ? bare : bare.replace("@openssh.com", "");
  return ALIASES[plain] ?? plain;
}

/** Whether the word names a kind of key. */
export function isKeyType(word: string): boolean {
  return ALGORITHMS.has(plainName(word));
}

/**
 * The key of a name and its base64, as authorized_keys and `.pub` files have it.
 *
 * @returns undefined for what is no key, or another one than the name says
 */
export function readPublicKey(name: string, base64: string): PublicKey | undefined {
  const isCertificate = CERTIFICATE.test(name);
  const plain = plainName(name);
  const algorithm = ALGORITHMS.get(plain);
  const digits = base64.replace(SKIPPED, "");
  if (algorithm === undefined || !BASE64.test(digits) || digits.length % 4 !== 0) return undefined;
  const blob = Buffer.from(digits, "base64");
  const strings = readStrings(blob, 1 + (isCertificate ? 1 : 0) + algorithm.parts);
  if (strings === undefined) return undefined;
  const named = text(strings[0]?.bytes);
  if (CERTIFICATE.test(named) !== isCertificate || plainName(named) !== plain) return undefined;
  if (!isCertificate && strings.at(-1)?.end !== blob.length) return undefined;
  const parts = strings.slice(isCertificate ? 2 : 1).map(({ bytes }) => bytes); // after the name, and a certificate's nonce
  const bits = algorithm.bits(parts);
  if (bits === 0 || (algorithm.numbers && parts.some(isNegative))) return undefined;
  // as sshd writes it, and of a certificate the key in it (sshkey_fingerprint_raw): a blob can have more zeros
  const key = [Buffer.from(plain), ...(algorithm.numbers ? parts.map(shortest) : parts)];
  const digest = createHash("sha256")
    .update(Buffer.concat(key.map(string)))
    .digest("base64")
    .replace(/=+$/, "");
  return { fingerprint: `SHA256:${digest}`, type: algorithm.type + (isCertificate ? "-CERT" : ""), bits };
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** What b64_pton(3) skips, of isspace(3); spaces and tabs end the word, a newline the line. */
const SKIPPED = /[\v\f\r]/g;

interface Part {
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** Strings of RFC 4251, 5: a length of 32 bits, and so many bytes; undefined when there are fewer. */
function readStrings(blob: Buffer, count: number): Part[] | undefined {
  const parts: Part[] = [];
  for (let start = 0; parts.length < count;) {
    if (start + 4 > blob.length) return undefined;
    const end = start + 4 + blob.readUInt32BE(start);
    if (end > blob.length) return undefined;
    parts.push({ end, bytes: blob.subarray(start + 4, end) });
    start = end;
  }
  return parts;
}

function string(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const isNegative = (mpint: Uint8Array) => (mpint[0] ?? 0) >= 0x80;

/** An mpint with no more zeros before it than the sign needs. */
function shortest(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return new Uint8Array();
  const number = bytes.subarray(first);
  return (number[0] ?? 0) < 0x80 ? number : Buffer.concat([Buffer.alloc(1), number]);
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("latin1");

/** Of an mpint (RFC 4251, 5). */
function bitLength(bytes: Uint8Array | undefined): number {
  const first = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  if (bytes === undefined || first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
