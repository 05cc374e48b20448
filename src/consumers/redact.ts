import type { Fingerprint } from "./consumer.ts";
import { isMarkedHash, looksLikeHash, redacted, redactHashes } from "../hashes.ts";
import { DEFAULT_REDACTION, type Redaction } from "./redaction.ts";
import { findSecretKeys, type SecretKey } from "./secret-keys.ts";
import { isPiece, redactTorn } from "./torn.ts";

/** PEM (RFC 7468), OpenSSH, PGP; PuTTY's and age's own formats. */
const PRIVATE_KEY =
  /---- ?BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)? ?----|^SSH PRIVATE KEY FILE FORMAT|^PuTTY-User-Key-File-|^Private-Lines: |AGE-SECRET-KEY-1/m;

/** Such a file is hashed, never diffed. */
export function holdsPrivateKey(text: string): boolean {
  return PRIVATE_KEY.test(text);
}

/**
 * Whether a line of the text reads like an entry of a password database: shadow(5), gshadow(5),
 * passwd(5) or group(5) with a hash in it, opasswd (pam_unix(8)), smbpasswd(5), htdigest(1).
 * Such a file is hashed, never diffed, whatever its name.
 */
export function looksLikeShadow(text: string): boolean {
  return text.split("\n").some((line) => {
    const fields = line.length > MAX_ENTRY ? [] : line.split(":");
    if (fields.length < 3) return false;
    const [, second = "", third = "", fourth = ""] = fields;
    const password = second.replace(/^[!*]+/, "");
    if (isMarkedHash(password)) return true;
    if (looksLikeHash(password) && ([4, 7, 9].includes(fields.length) || isNumberOrEmpty(third))) return true;
    if (fields.length === 9 && second !== "" && second !== "x" && fields.slice(2).every(isNumberOrEmpty)) return true;
    if (isTornShadow(fields)) return true;
    if (!isNumberOrEmpty(second)) return fields.length === 3 && HEX_HASH.test(third);
    return (HEX_HASH.test(third) && HEX_HASH.test(fourth)) || fourth.split(",").some(isMarkedHash);
  });
}

/** What shadow(5) has after the hash, and before it something like one: a colon was lost, or is one too many. */
function isTornShadow(fields: readonly string[]): boolean {
  if (fields.length < 7 || fields.length > 11 || !fields.slice(-6).every(isNumberOrEmpty)) return false;
  return fields.slice(0, -6).some(isPiece);
}

/** Longer lines are no entries: an opasswd line has at most 400 hashes (pam_unix(8), remember=). */
const MAX_ENTRY = 65_536;
const HEX_HASH = /^[0-9A-Fa-fX]{32}$/;
const isNumberOrEmpty = (field: string) => /^-?\d*$/.test(field);

/**
 * The text with every secret in it replaced by its keyed fingerprint: password hashes, passwords in
 * URLs, the values of keys that look like a secret's (secret-keys.ts), and what the rules' patterns
 * match. The number of lines stays.
 */
export function redact(text: string, fingerprint: Fingerprint, rules: Redaction = DEFAULT_REDACTION): string {
  const tools: Tools = {
    replace: (secret) => (secret === "" ? "" : redacted(secret, fingerprint)),
    find: (line) => findSecretKeys(line, rules.keys),
  };
  let block: Block | undefined;
  return redactTorn(text.split("\n"), fingerprint)
    .map((whole) => {
      const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
      const named = redactPatterns(line, rules.patterns, tools.replace);
      const inBlock = block === undefined ? undefined : continueBlock(block, named, tools);
      const step = inBlock ?? redactLine(named, tools);
      block = step.block;
      return redactWords(step.line, fingerprint) + whole.slice(line.length);
    })
    .join("\n");
}

interface Tools {
  readonly replace: (secret: string) => string;
  readonly find: (line: string) => SecretKey[];
}

function redactPatterns(line: string, patterns: readonly RegExp[], replace: Tools["replace"]): string {
  return patterns.reduce(
    (text, pattern) =>
      text.replace(pattern, (match: string, group: unknown) => {
        if (typeof group !== "string" || group === "") return replace(match);
        const at = match.lastIndexOf(group);
        return match.slice(0, at) + replace(group) + match.slice(at + group.length);
      }),
    line,
  );
}

/** A value that goes on in the lines that follow. */
type Block =
  /**
   * YAML: all that is indented more than the key, and lists as much as the key. What is not literal
   * ends where it turns out to be a mapping, whose keys tell by themselves what they hold.
   */
  | { readonly kind: "indented"; readonly indent: number; readonly literal: boolean }
  /** Up to and with the line that holds `end`: TOML's multi-line strings, arrays, open quotes. */
  | { readonly kind: "until"; readonly end: string }
  /** The next line: a backslash ended the one before. */
  | { readonly kind: "next" }
  /** `- name: DB_PASSWORD`, whose value is under a key of its own (Kubernetes, Compose). */
  | { readonly kind: "value"; readonly left: number };

interface Step {
  readonly line: string;
  readonly block: Block | undefined;
}

/** undefined: the line is not the block's; it is read by itself. */
function continueBlock(block: Block, line: string, tools: Tools): Step | undefined {
  if (block.kind === "next") return { line: tools.replace(line), block: goesOn(line) };
  if (block.kind === "until") {
    const end = line.indexOf(block.end);
    if (end < 0) return { line: tools.replace(line), block };
    const rest = redactLine(line.slice(end), tools);
    return { line: tools.replace(line.slice(0, end)) + rest.line, block: rest.block };
  }
  if (block.kind === "value") {
    const start = NAMED_VALUE.exec(line)?.[0].length;
    if (start !== undefined) return redactLine(line, tools, [{ start }]);
    const step = redactLine(line, tools);
    return {
      line: step.line,
      block: step.block ?? (block.left > 1 ? { kind: "value", left: block.left - 1 } : undefined),
    };
  }
  const indent = indentOf(line);
  const body = line.slice(indent);
  if (body === "") return { line, block };
  const item = /^-\s+/.exec(body)?.[0] ?? "";
  const isInside = indent > block.indent || (!block.literal && item !== "" && indent === block.indent);
  if (!isInside) return undefined;
  if (!block.literal && MAPPING.test(body.slice(item.length))) return undefined;
  return { line: line.slice(0, indent) + item + tools.replace(body.slice(item.length)), block };
}

const NAMED_VALUE = /^\s*(?:-\s+)?["']?value["']?\s*[:=]\s*/i;
const MAPPING = /^["']?[A-Za-z_][\w.-]*["']?\s*:(?:\s|$)/;

function redactLine(line: string, tools: Tools, keys: readonly SecretKey[] = tools.find(line)): Step {
  let done = "";
  let at = 0;
  let block: Block | undefined;
  for (const key of keys) {
    if (key.start < at) continue;
    const value = key.named ? NO_VALUE : redactValue(line, key, tools.replace);
    done += line.slice(at, key.start) + value.text;
    at = key.start + value.length;
    block = value.block ?? block;
  }
  return { line: done + line.slice(at), block };
}

interface Value {
  readonly text: string;
  /** Of what the text replaces. */
  readonly length: number;
  readonly block?: Block | undefined;
}

/** How far below its name a value is looked for. */
const NO_VALUE: Value = { text: "", length: 0, block: { kind: "value", left: 3 } };

/** Values that say nothing, and openings of what is read key by key. */
const PLAIN = /^(?:yes|no|true|false|on|off|none|null|nil|~|\{|\{\}|\[\]|""|'')?[,;]?\s*$/i;
const QUOTED = /^(["'`])((?:\\.|(?!\1)[^\\])*)\1(?=[\s,;})\]>/]|$)/;

/** The value of a key: quoted, up to the quote; if not, all that follows, as it may hold anything. */
function redactValue(line: string, key: SecretKey, replace: Tools["replace"]): Value {
  const value = line.slice(key.start, key.end);
  const length = value.length;
  const plainOr = (text: string) => (PLAIN.test(text) ? text : replace(text));
  if (key.end !== undefined) return { text: plainOr(value), length };
  const triple = /^("""|''')/.exec(value)?.[0];
  if (triple !== undefined && !value.includes(triple, 3)) {
    return { text: triple + replace(value.slice(3)), length, block: { kind: "until", end: triple } };
  }
  const [quoted, quote = "", inner = ""] = QUOTED.exec(value) ?? [];
  if (quoted !== undefined) return { text: quote + plainOr(inner) + quote, length: quoted.length };
  if (value.startsWith("#") || OPENS_BLOCK.test(value)) {
    const literal = /^[|>]/.test(value);
    return {
      text: value.startsWith("#") ? replace(value) : value,
      length,
      block: { kind: "indented", indent: indentOf(line), literal },
    };
  }
  if (/^[[(]\s*$/.test(value)) {
    return { text: value, length, block: { kind: "until", end: value.startsWith("[") ? "]" : ")" } };
  }
  if (PLAIN.test(value)) return { text: value, length };
  const open = value[0] ?? "";
  const isOpen = /["'`]/.test(open) && value.split(open).length % 2 === 0;
  return { text: replace(value), length, block: isOpen ? { kind: "until", end: open } : goesOn(value) };
}

/** Nothing, or the head of a YAML block scalar (YAML 1.2, 8.1). */
const OPENS_BLOCK = /^(?:[|>][-+0-9]{0,2}(?:\s+#.*)?)?\s*$/;

function goesOn(line: string): Block | undefined {
  return line.endsWith("\\") ? { kind: "next" } : undefined;
}

const URL_PASSWORD = /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"'<>]{0,200}:)(?!\d{1,5}\/)([^\s"'<>]{1,1000})@/gi;
/**
 * Where crypt's hashes have no mark but their place: htpasswd(5), also commented out, quoted, in a list, for
 * `chpasswd -e`; the option -p of useradd(8) and its like.
 */
const PLACES = [
  /^([\s#"'-]*(?:echo\s+["']?)?[^\s:#"']{1,100}:!*)([^\s:"']{13,20})(?=[\s:"']|$)/,
  /(\b(?:user|group)(?:add|mod)\s(?:.{0,200}\s)?-[mMrlNoDULf]*p\s*["']?)([^\s"']{13,20})(?=[\s"']|$)/,
];

function redactWords(line: string, fingerprint: Fingerprint): string {
  const hide = (all: string, head: string, word: string) =>
    looksLikeHash(word) ? head + redacted(word, fingerprint) : all;
  const marked = PLACES.reduce((text, place) => text.replace(place, hide), redactHashes(line, fingerprint));
  if (!marked.includes("@")) return marked;
  return marked.replace(URL_PASSWORD, (_, head: string, word: string) => `${head}${redacted(word, fingerprint)}@`);
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)?.[0].length ?? 0;
}
