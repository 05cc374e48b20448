import { parsePasswd } from "../consumers/parse/passwd.ts";
import { isCompat } from "../consumers/parse/lines.ts";
import { DEFAULT_KEY_FILES, keyFileOf, parseSshdConfig } from "../consumers/parse/sshd-config.ts";
import { encode } from "../consumers/text.ts";
import { joinPath, pathText } from "../paths.ts";
import { membersOf } from "../watch/members.ts";
import { readBelow, resolveBelow } from "../watch/read.ts";

/** Where the SSH keys of a machine's users are. All paths are below the root. */
export interface KeyFiles {
  /** Whose keys are in which file: several users' where homes or files are shared. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** Paths and globs of the files that say so. */
  readonly sources: readonly string[];
  /** What is not followed. */
  readonly notes: readonly string[];
}

/** Whatever else decides, this comes first. */
export const PASSWD = "/etc/passwd";
export const SSHD_CONFIG = "/etc/ssh/sshd_config";

/** As the consumers' limits, in bytes. */
const PASSWD_LIMIT = 64 << 20;
const CONFIG_LIMIT = 1 << 20;

/**
 * The files of all users in passwd(5), whatever their shell, as sshd_config(5) names them.
 *
 * @returns undefined while there is no passwd that can be read: nothing is known then
 */
export function findKeyFiles(root: string): KeyFiles | undefined {
  const content = readBelow(root, PASSWD, PASSWD_LIMIT);
  if (content === undefined) return undefined;
  const { patterns, includes, notes } = readSshdConfig(root);
  const owners = new Map<string, string[]>();
  for (const { user, uid, home } of parsePasswd(content, () => "").entries) {
    if (isCompat(user) || uid === undefined) continue;
    const account = { name: pathOf(user), uid, home: pathOf(home) };
    for (const pattern of patterns) {
      const file = keyFileOf(pattern, account);
      if (file === undefined || file.includes("\0")) continue;
      const known = owners.get(file);
      if (known === undefined) owners.set(file, [user]);
      else if (!known.includes(user)) known.push(user);
    }
  }
  return { owners, sources: [PASSWD, SSHD_CONFIG, ...includes], notes };
}

/** A field of passwd as a path: bytes that are not UTF-8 are written otherwise there (src/paths.ts). */
const pathOf = (field: string): string => pathText(encode(field));

/** Files may include each other to this depth (servconf.c, SERVCONF_MAX_DEPTH). */
const MAX_DEPTH = 16;

function readSshdConfig(root: string) {
  let patterns: readonly string[] | undefined;
  const includes = new Set<string>();
  const notes: string[] = [];
  const seen = new Set<string>();
  const read = (path: string, isMatched: boolean, depth: number): void => {
    // a second time tells nothing new; files that include each other would be read without end
    const visit = `${isMatched} ${path}`;
    if (seen.has(visit)) return;
    seen.add(visit);
    const content = readBelow(root, path, CONFIG_LIMIT);
    if (content === undefined || depth > MAX_DEPTH) return;
    for (const { keyword, values, line, matched } of parseSshdConfig(new TextDecoder().decode(content), isMatched)) {
      if (keyword === "authorizedkeysfile") {
        // the first value counts (sshd_config(5))
        if (!matched) patterns ??= values;
        else notes.push(`${path} line ${line}: AuthorizedKeysFile in a Match block is not followed`);
        continue;
      }
      for (const value of values) {
        const pattern = value.startsWith("/") ? value : joinPath("/etc/ssh", value);
        includes.add(pattern);
        for (const included of expand(root, pattern)) read(included, matched, depth + 1);
      }
    }
  };
  read(SSHD_CONFIG, false, 0);
  return { patterns: patterns ?? DEFAULT_KEY_FILES, includes: [...includes], notes };
}

/** The paths that a pattern matches, in order, as glob(3) does: no braces, and no hidden names for a wildcard. */
function expand(root: string, pattern: string): string[] {
  let paths = [""];
  for (const part of pattern.split("/").filter((name) => name !== "")) {
    paths = paths.flatMap((directory) => {
      if (!/[*?[]/.test(part)) return [`${directory}/${part}`];
      const glob = new Bun.Glob(part.replace(/[{}!]/g, "\\$&"));
      return namesIn(root, directory)
        .filter((name) => (!name.startsWith(".") || part.startsWith(".")) && glob.match(name))
        .sort()
        .map((name) => `${directory}/${name}`);
    });
  }
  return paths;
}

function namesIn(root: string, directory: string): string[] {
  try {
    const end = resolveBelow(root, directory === "" ? "/" : directory);
    return end?.stat.type === "directory" ? membersOf(end.path) : [];
  } catch {
    return [];
  }
}
