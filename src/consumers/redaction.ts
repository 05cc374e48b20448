import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";

/** What is taken for a secret in a text, beside hashes, and passwords in URLs. */
export interface Redaction {
  /** The rules as text: texts that went through others are not comparable. */
  readonly source: string;
  /** Finds what makes a key look like a secret's. */
  readonly keys: RegExp;
  /** What they match in a line, or their first group where they have one, is a secret. */
  readonly patterns: readonly RegExp[];
}

/** Words of keys whose values are secrets, in any case; `_` and `-` are the same, and may be left out. */
export const SECRET_KEYS = [
  "password",
  "passwords",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "api_key",
  "private_key",
  "credential",
] as const;

/** Raised when the built-in rules change, so that a new version of bpfink reports no change of its own making. */
const BUILT_IN = 3;

/**
 * @param patterns regular expressions (JavaScript's), for what the built-in rules do not know
 * @param keys instead of SECRET_KEYS
 * @throws BpfinkError with status `usage` for a pattern that is none, or that matches nothing and everywhere
 */
export function redactionOf({
  patterns = [],
  keys = SECRET_KEYS,
}: {
  readonly patterns?: readonly string[];
  readonly keys?: readonly string[];
}): Redaction {
  const words = keys.filter((key) => key !== "").sort((a, b) => b.length - a.length);
  return {
    source: JSON.stringify([BUILT_IN, patterns, keys]),
    keys: words.length === 0 ? /(?!)/g : new RegExp(words.map(wordPattern).join("|"), "gi"),
    patterns: patterns.map(compile),
  };
}

export const DEFAULT_REDACTION: Redaction = redactionOf({});

function wordPattern(key: string): string {
  return key
    .split(/[_-]/)
    .map((part) => part.replace(/[^A-Za-z0-9]/g, "\\$&"))
    .join("[_-]?");
}

function compile(pattern: string): RegExp {
  const refuse = (reason: string) =>
    new BpfinkError(ExitStatus.usage, `redact ${JSON.stringify(pattern)} ${reason}`, "write it like ^pin=(\\d+)");
  let compiled: RegExp;
  try {
    compiled = new RegExp(pattern, "g");
  } catch (error) {
    throw refuse(`is no regular expression: ${messageOf(error)}`);
  }
  if (compiled.test("")) throw refuse("matches where nothing is");
  return compiled;
}
