import type { Fingerprint } from "../consumer.ts";
import { redacted, redactHashes } from "../../hashes.ts";
import { decode } from "../text.ts";
import { isSecondHalf } from "../torn.ts";

/** A line that could not be read, or not as it should be. The reason never quotes the line. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export interface Parsed<Entry> {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/** Reads one line's fields: what it holds, undefined for nothing; `problem` may be called more than once. */
export type ReadFields<Entry> = (fields: readonly string[], problem: (reason: string) => void) => Entry | undefined;

/**
 * A colon-separated database, read as glibc's nss_files does (nss/nss_files/files-parse.c): white
 * space before a line is skipped, so are blank lines and comments, and a line ends at a NUL byte.
 */
export function parseDatabase<Entry>(content: Uint8Array, read: ReadFields<Entry>): Parsed<Entry> {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  decode(content)
    .split("\n")
    .forEach((whole, index, lines) => {
      const problem = (reason: string) => problems.push({ line: index + 1, reason });
      const nul = whole.indexOf("\0");
      const line = (nul < 0 ? whole : whole.slice(0, nul)).replace(LEADING_SPACE, "");
      if (nul >= 0) problem("NUL byte: what follows it on the line is not read");
      if (line === "" || line.startsWith("#")) return;
      const [name = "", ...rest] = line.split(":");
      // a newline in a hash makes a name of its second half
      const first = isSecondHalf(line, lines[index - 1] ?? "") ? "[redacted]" : name;
      const entry = read([first, ...rest], problem);
      if (entry !== undefined) entries.push(entry);
    });
  return { entries, problems };
}

/** "+", "-", "+name", "+@netgroup": entries taken from NIS (passwd(5), "NIS"; nsswitch.conf(5), "compat"). */
export function isCompat(name: string): boolean {
  return name.startsWith("+") || name.startsWith("-");
}

/** A name, unless a hash stands in its place: no name has a "$" but as its last character (useradd(8)). */
export function shownName(name: string, fingerprint: Fingerprint): string {
  return /\$./su.test(name) ? redacted(name, fingerprint) : redactHashes(name, fingerprint);
}

/** isspace(3) in the C locale. */
const LEADING_SPACE = /^[ \t\v\f\r]+/;

const ID = /^[ \t\v\f\r]*([+-]?)(\d+)$/;
const ID_MAX = 0xffff_ffffn;

/** An id, as strtou32 of nss/nss_files/files-parse.c makes it of a field: "+0", " 0" and "00" are root, too. */
export function readId(field: string): number | undefined {
  const match = ID.exec(field);
  if (match === null || match[2] === undefined || match[2].length > 40) return undefined;
  const value = BigInt(match[2]);
  return Number(value > ID_MAX || (match[1] === "-" && value > 0n) ? ID_MAX : value);
}
