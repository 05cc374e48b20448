/** What one file of sshd_config(5) says of authorized keys, in its order. */
export type Directive =
  | {
      readonly keyword: "authorizedkeysfile";
      readonly values: readonly string[];
      readonly line: number;
      readonly matched: boolean;
    }
  | {
      readonly keyword: "include";
      readonly values: readonly string[];
      readonly line: number;
      readonly matched: boolean;
    };

/**
 * Reads the directives that decide where keys are. `matched`: inside of a Match block, and so in force
 * for some only; a block ends at the next Match, or with the file. Never throws.
 *
 * @param matched whether the file is included inside of a Match block
 */
export function parseSshdConfig(text: string, matched = false): Directive[] {
  const directives: Directive[] = [];
  let inMatch = matched;
  for (const [index, whole] of text.split("\n").entries()) {
    const [first = "", ...values] = splitArguments(whole);
    const keyword = first.toLowerCase();
    if (keyword === "match") inMatch = matched || values.length !== 1 || values[0]?.toLowerCase() !== "all";
    if (keyword !== "authorizedkeysfile" && keyword !== "include") continue;
    if (values.length > 0) directives.push({ keyword, values, line: index + 1, matched: inMatch });
  }
  return directives;
}

/** Of a line: words with quotes removed; the first may be followed by "=" (servconf.c, argv_split of misc.c). */
function splitArguments(line: string): string[] {
  const words: string[] = [];
  const rest = line.trim().replace(/^([A-Za-z]+)[ \t]*=[ \t]*|^([A-Za-z]+)[ \t]+/, "$1$2 ");
  for (const [word] of rest.matchAll(/(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|\\.|[^\s"'\\])+/gs)) {
    if (word.startsWith("#")) break;
    words.push(word.replace(/\\(["'\\ ])|["']/g, "$1"));
  }
  return words;
}

/** sshd_config(5), "AuthorizedKeysFile". */
export const DEFAULT_KEY_FILES: readonly string[] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/**
 * The file that a value of AuthorizedKeysFile means for a user (auth.c, expand_authorized_keys); undefined
 * for `none`. A `~/` at the beginning is what it looks like, though today's sshd takes it for a name.
 */
export function keyFileOf(
  pattern: string,
  user: { readonly name: string; readonly uid: number; readonly home: string },
): string | undefined {
  if (pattern.toLowerCase() === "none") return undefined;
  const tokens: Readonly<Record<string, string>> = { "%": "%", h: user.home, u: user.name, U: String(user.uid) };
  const path = pattern.replace(/^~\//, "").replace(/%(.)/g, (all, token: string) => tokens[token] ?? all);
  return `/${path.startsWith("/") ? path : `${user.home}/${path}`}`.replace(/\/{2,}/g, "/");
}
