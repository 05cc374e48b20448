import type { Fingerprint } from "../consumer.ts";
import { redacted, redactHashes } from "../../hashes.ts";
import { looksLikeShadow } from "../redact.ts";
import { decode } from "../text.ts";
import type { Parsed } from "./lines.ts";
import { networkProblem } from "./network.ts";

/** A rule of access.conf(5): the first one that matches somebody who logs in decides. */
export interface AccessRule {
  readonly permission: "+" | "-";
  /** Names, ids, `(group)`, `@netgroup`, `user@host`, `ALL`; as they are written. */
  readonly users: readonly string[];
  /** What follows the first EXCEPT; a second one stands among them as it is written. */
  readonly exceptUsers?: readonly string[];
  /** Terminals, hosts, `.domain`, networks, `@netgroup`, services, `LOCAL`, `ALL`. */
  readonly origins: readonly string[];
  readonly exceptOrigins?: readonly string[];
}

export interface AccessEntry {
  readonly rule: AccessRule;
  /** The users field as it is written: upstream's whole entry. */
  readonly name: string;
}

/** pam_access(8): `fieldsep=` and `listsep=`, each a set of characters. */
export interface Separators {
  readonly field: string;
  readonly list: string;
}

export const DEFAULT_SEPARATORS: Separators = { field: ":", list: ", \t" };

/**
 * access.conf(5), read as login_access() of Linux-PAM does (modules/pam_access/pam_access.c): a
 * backslash joins no lines, `#` is a comment in the first column only, and a last line without its
 * newline is no rule. A rule that pam_access takes, but that matches nobody, is an entry and a problem.
 */
export function parseAccess(
  content: Uint8Array,
  fingerprint: Fingerprint,
  separators: Separators = DEFAULT_SEPARATORS,
): Parsed<AccessEntry> {
  const entries: AccessEntry[] = [];
  const problems: { line: number; reason: string }[] = [];
  const lines = decode(content).split("\n");
  const unfinished = lines.pop() ?? "";
  lines.forEach((text, index) => {
    const problem = (reason: string) => problems.push({ line: index + 1, reason });
    if (text.startsWith("\0") || text.startsWith("#")) return;
    if (text.includes("\0")) return problem("NUL byte: pam_access ignores the line");
    if (Buffer.byteLength(text) > LONGEST) problem(TOO_LONG);
    const line = text.replace(TRAILING_SPACE, "");
    if (line === "") return;
    const entry = readRule(line, separators, problem, fingerprint);
    if (entry !== undefined) entries.push(entry);
  });
  if (unfinished !== "" && !unfinished.startsWith("\0")) {
    problems.push({ line: lines.length + 1, reason: "no newline at the end: pam_access ignores the line" });
  }
  return { entries, problems };
}

/** In bytes: fgets(3) into BUFSIZ, which getline(3) took the place of in Linux-PAM 1.6. */
const LONGEST = 8190;
const TOO_LONG = `longer than ${LONGEST} bytes: before Linux-PAM 1.6 it is ignored, and its rest read as a rule of its own`;

/** isspace(3) in the C locale. */
const TRAILING_SPACE = /[ \t\v\f\r]+$/;

function readRule(
  line: string,
  { field, list }: Separators,
  problem: (reason: string) => void,
  fingerprint: Fingerprint,
): AccessEntry | undefined {
  const permission = token(line, 0, field);
  const users = permission && token(line, permission.next, field);
  const origins = users && line.slice(users.next);
  if (permission === undefined || users === undefined || !origins) {
    problem("three fields expected");
    return undefined;
  }
  const sign = permission.text[0];
  if (sign !== "+" && sign !== "-") {
    problem('the first field is neither "+" nor "-"');
    return undefined;
  }
  if (permission.text.trimEnd().length > 1) problem(`of the first field only "${sign}" counts`);
  // what lets somebody in is the line's first character, what makes it a rule the field's
  if (line[0] !== sign) problem("a separator before the permission: pam_access takes the rule as a denial");
  const userList = readList(tokens(users.text, list), "users", problem);
  const originList = readList(tokens(origins, list), "origins", problem);
  const all = [...userList.of, ...(userList.except ?? [])];
  if (all.some((word) => word.startsWith("(") && !word.endsWith(")")))
    problem("a group in parentheses is cut at a list separator: it matches nobody");
  const networks = [...originList.of, ...(originList.except ?? [])].map(networkProblem);
  for (const reason of new Set(networks)) if (reason !== undefined) problem(reason);
  // "+nis:HASH:19000:…" is a line of shadow(5), and a rule to pam_access
  const isSecret =
    permission.text.trimEnd().length > 1 || looksLikeShadow(line) || redactHashes(line, fingerprint) !== line;
  const shown = (word: string) => (isSecret && word.toUpperCase() !== "ALL" ? redacted(word, fingerprint) : word);
  const words = (those: readonly string[]) => those.map(shown);
  return {
    rule: {
      permission: line[0] === "+" ? "+" : "-",
      users: words(userList.of),
      ...(userList.except === undefined ? {} : { exceptUsers: words(userList.except) }),
      origins: words(originList.of),
      ...(originList.except === undefined ? {} : { exceptOrigins: words(originList.except) }),
    },
    name: shown(users.text.trim()),
  };
}

/** list_match() of pam_access.c, which compares EXCEPT and ALL in any case. */
function readList(words: readonly string[], field: string, problem: (reason: string) => void) {
  const at = words.findIndex((word) => word.toUpperCase() === "EXCEPT");
  const [of, except] = at < 0 ? [words, undefined] : [words.slice(0, at), words.slice(at + 1)];
  if (of.length === 0) problem(`nothing in ${field}${at < 0 ? "" : " before EXCEPT"}: the rule matches nobody`);
  return { of, except };
}

/** strtok_r(3): separators before the token are skipped, one after it is taken away. */
function token(text: string, from: number, separators: string): { text: string; next: number } | undefined {
  let start = from;
  while (start < text.length && separators.includes(text[start]!)) start++;
  if (start >= text.length) return undefined;
  let end = start;
  while (end < text.length && !separators.includes(text[end]!)) end++;
  return { text: text.slice(start, end), next: Math.min(end + 1, text.length) };
}

function tokens(text: string, separators: string): string[] {
  const found: string[] = [];
  for (let at = token(text, 0, separators); at !== undefined; at = token(text, at.next, separators))
    found.push(at.text);
  return found;
}
