import { basename, dirname } from "node:path";
import { accessConsumer } from "./access.ts";
import type { Consumer } from "./consumer.ts";
import type { Context } from "./context.ts";
import { contentConsumer } from "./content.ts";
import { ACCESS_DIRECTORY } from "./parse/pam.ts";
import { usersConsumer } from "./users.ts";

const DATABASES = ["passwd", "shadow", "group", "gshadow"] as const;
const databases = new Map(DATABASES.map((name) => [name as string, usersConsumer(name)]));
const keyFile = usersConsumer("authorized_keys");
const content = contentConsumer("text");
const secret = contentConsumer("secret");
const member = contentConsumer("member");

/**
 * The consumer that understands the file at a path, by its name. Copies of a user database are read
 * like it; whatever else has such a name (locks, temporary and swap files) is hashed with a key.
 *
 * @param isNamed whether the user named the file, or a glob for it; not just a directory above it
 */
export function consumerFor(path: string, isNamed: boolean, context?: Context): Consumer {
  const name = basename(path);
  const other = isNamed ? content : member;
  const owners = context?.owners?.(path) ?? [];
  if (owners.length > 0) return usersConsumer("authorized_keys", owners);
  if (KEYS.test(name)) return keyFile;
  if (NAMESAKES.has(basename(dirname(path)))) return other;
  const database = databases.get(COPY.exec(name)?.[1] ?? "");
  if (database !== undefined) return database;
  if (SECRET_NAME.test(name)) return secret;
  const separators = context?.separators(path);
  return separators !== undefined || name === "access.conf" || ACCESS_DIRECTORY.test(path)
    ? accessConsumer(separators)
    : other;
}

/** Where a file called passwd is no user database: /etc/pam.d/passwd, /usr/bin/passwd, … */
const NAMESAKES = new Set(["pam.d", "bin", "sbin", "default", "cron.daily", "completions", "doc", "overrides"]);

/**
 * What is appended to a name. shadow-utils writes `passwd+`, keeps `passwd-`, vipw(8) has `passwd.edit`
 * (lib/commonio.c, src/vipw.c); editors and package managers have the rest.
 */
const COPIED = "[-+~]|\\.(?:edit|org|orig|bak|backup|old|new|save)|\\.(?:dpkg|ucf)-\\w+|\\.rpm\\w+";
/** `.lock` and `.1234` (lib/commonio.c), `.swp` (vim), `#` (Emacs), 16 digits (systemd-sysusers). */
const TEMPORARY = "\\.lock|\\.\\d+|\\.sw[a-z]|#|[0-9a-f]{16}";

const COPY = new RegExp(`^(${DATABASES.join("|")})(?:${COPIED})?$`);

const KEYS = new RegExp(`^authorized_keys2?(?:${COPIED})?$`);

/** opasswd (pam_unix(8)) and its likes; of the user databases what is temporary, or no copy that is known. */
const SECRET_NAME = new RegExp(
  "^[.#]*(?:(?:g?shadow|master\\.passwd|smbpasswd|opasswd)(?![a-z])" +
    `|shadow[0-9a-f]{16}$|(?:passwd|group)(?:${COPIED}|${TEMPORARY})$)`,
);
