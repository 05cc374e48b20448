/** Where a line gives a secret a value. */
export interface SecretKey {
  /** Where the value begins in the line. */
  readonly start: number;
  /** Where it ends, when that is known; if not, its quotes say, or it goes on to the end of the line. */
  readonly end?: number;
  /** The value follows on a line of its own: `- name: DB_PASSWORD`. */
  readonly named?: true;
}

/** A key that ends so says something about secrets, and holds none: PasswordAuthentication, passwd_tries. */
const ABOUT = new Set(
  (
    "age algorithm algorithms allowed attempts auth authentication change class command complexity count days " +
    "dir directory enabled endpoint expiration expire expires expiry file files format hashing helper history len " +
    "length lifetime limit lockout max maximum method min minimum mode name path policy prompt quality ref required " +
    "retries rounds scheme size store timeout tries ttl type types uri warn"
  ).split(" "),
);

/** Every secret key of a line that has a value, in order. @param words finds what makes a key look like a secret's */
export function findSecretKeys(line: string, words: RegExp): SecretKey[] {
  const found: SecretKey[] = [];
  let past = 0;
  for (const { index, 0: word } of line.matchAll(words)) {
    if (index < past) continue;
    const start = expandLeft(line, index);
    const end = expandRight(line, index + word.length);
    past = end;
    if (isAboutSecrets(line.slice(start, end))) continue;
    const key = keyAt(line, start, end);
    if (key !== undefined) found.push(key);
  }
  return found;
}

/** A secret's name can be this long on either side of its word. */
const REACH = 100;
const NAME_CHARACTER = /[\w.-]/;

function expandLeft(line: string, from: number): number {
  let at = from;
  while (at > 0 && from - at < REACH && NAME_CHARACTER.test(line[at - 1] ?? "")) at--;
  return at;
}

function expandRight(line: string, from: number): number {
  let at = from;
  while (at < line.length && at - from < REACH && NAME_CHARACTER.test(line[at] ?? "")) at++;
  return at;
}

function isAboutSecrets(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").split(/[^A-Za-z0-9]+/);
  return ABOUT.has((words.filter((word) => word !== "").at(-1) ?? "").toLowerCase());
}

/** After a key: quotes, an index or type, then the sign. */
const ASSIGNS = /["'`]?\]?\s*(?::=|=>|\?=|\+=|={1,3}|:(?!\/\/|:))\s*/y;
const ELEMENT = />\s*(?=[^<\s])/y;
const SPACE = /["']?\s+/y;
/** `<property name="password" value="…">`, `{"name": "DB_PASSWORD", "value": "…"}`. */
const NAMED = /\b(?:name|key)["']?\s*[:=]\s*["']?$/i;
const ITS_VALUE = /["']?[,;\s]+["']?value["']?\s*[:=]\s*/iy;

function keyAt(line: string, start: number, end: number): SecretKey | undefined {
  if (NAMED.test(line.slice(Math.max(0, start - 20), start))) {
    const value = match(ITS_VALUE, line, end);
    if (value !== undefined) return { start: end + value.length };
    if (/^["']?,?\s*$/.test(line.slice(end))) return { start: line.length, named: true };
  }
  const sign = match(ASSIGNS, line, end);
  if (sign !== undefined) return isKnownHarmless(line, start, end) ? undefined : { start: end + sign.length };
  const element = line[start - 1] === "<" ? match(ELEMENT, line, end) : undefined;
  if (element !== undefined) {
    const close = line.indexOf("<", end);
    return { start: end + element.length, ...(close < 0 ? {} : { end: close }) };
  }
  return spacedKey(line, start, end);
}

/** PAM's words after the module type (pam.conf(5)), and what else is no password after one. */
const CONTROL = /^(?:\[|(?:required|requisite|sufficient|optional|include|substack|hashing)\b)/i;
/** Lines in which a pair of words is a setting: netrc(5), HAProxy's userlists, `set password …`. */
const PAIRS = /^\s*(?:machine|default|login|user|account|set|with|identified)\b/i;

/** "key value", where only the line's shape can tell a setting from prose. */
function spacedKey(line: string, start: number, end: number): SecretKey | undefined {
  const space = match(SPACE, line, end);
  const valueStart = end + (space?.length ?? 0);
  if (space === undefined || valueStart >= line.length) return undefined;
  if (CONTROL.test(line.slice(valueStart, valueStart + 20))) return undefined;
  const before = line.slice(0, start);
  if (before.trim() === "" && !line.startsWith("--", start)) return { start: valueStart };
  const word = match(WORD, line, valueStart) ?? "";
  const isPair = line.startsWith("--", start) || PAIRS.test(before) || /^["']/.test(word);
  return isPair ? { start: valueStart, end: valueStart + word.length } : undefined;
}

/** A word as a shell sees it, near enough. */
const WORD = /(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"']|["'])+/y;

/** Services of nsswitch.conf(5). */
const SERVICES =
  /^passwd:(?:\s+(?:\[[^\]]*\]|files|compat|db|systemd|sss|ldap|nis|nisplus|winbind|hesiod|altfiles|extrausers|cache|mymachines|oslogin|cache_oslogin|centrifydc|lsass|wins))*\s*(?:#.*)?$/;

/** `passwd: files systemd` in nsswitch.conf(5); the tag in `alice ALL=(ALL) PASSWD: /bin/ls` of sudoers(5). */
function isKnownHarmless(line: string, start: number, end: number): boolean {
  if (start === 0 && SERVICES.test(line)) return true;
  const name = line.slice(start, end);
  return (
    name === "NOPASSWD" || (name === "PASSWD" && line[end] === ":" && /^(?:[^#=]|#\d)*=/.test(line.slice(0, start)))
  );
}

function match(sticky: RegExp, line: string, at: number): string | undefined {
  sticky.lastIndex = at;
  return sticky.exec(line)?.[0];
}
