/**
 * Bytes as text, without loss: two different contents never give the same text.
 *
 * UTF-8 stays as it is. A byte that is not UTF-8 becomes `\xNN` in lower case (`\x80`…`\xff`); a
 * backslash that stands before something that reads like such an escape becomes `\x5c`, and no
 * other backslash is touched, so that ordinary files read as they are.
 */
export function decode(bytes: Uint8Array): string {
  return decodeUtf8(bytes).replace(AMBIGUOUS_BACKSLASH, "\\x5c").replace(STRAY, escapeStray);
}

/** The bytes that `decode` was given. */
export function encode(text: string): Uint8Array {
  const parts = text.split(ESCAPE).map((part, i) => (i % 2 === 0 ? Buffer.from(part) : Buffer.from(part, "hex")));
  return new Uint8Array(Buffer.concat(parts));
}

/** Splits into lines, each with its terminator; the last may have none. "" has no lines. */
export function splitLines(text: string): string[] {
  const lines = text.split("\n").map((line) => `${line}\n`);
  const last = lines.pop()?.slice(0, -1) ?? "";
  return last === "" ? lines : [...lines, last];
}

const AMBIGUOUS_BACKSLASH = /\\(?=x(?:5c|[89a-f][0-9a-f]))/g;
const ESCAPE = /\\x(5c|[89a-f][0-9a-f])/;

/** Undecodable bytes stand for a moment as lone surrogates, which no UTF-8 decodes to (as in PEP 383). */
const STRAY = /[\udc80-\udcff]/gu;
const STRAY_BASE = 0xdc00;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeWithStrays(bytes);
  }
}

function decodeWithStrays(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (start < at) pieces.push(strict.decode(bytes.subarray(start, at)));
    pieces.push(String.fromCharCode(STRAY_BASE + (bytes[at] ?? 0)));
    start = ++at;
  }
  pieces.push(strict.decode(bytes.subarray(start)));
  return pieces.join("");
}

/** Length of the well-formed sequence at `at`, 0 for none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < low || second > high) return 0;
  for (let i = at + 2; i < at + length; i++) if (((bytes[i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

function escapeStray(stray: string): string {
  return `\\x${(stray.charCodeAt(0) - STRAY_BASE).toString(16)}`;
}
