import type { Fingerprint } from "../consumer.ts";
import { redact } from "../redact.ts";
import { decode } from "../text.ts";
import type { Parsed, Problem } from "./lines.ts";
import { isKeyType, type PublicKey, readPublicKey } from "./ssh-key.ts";

/** A line of an authorized_keys file. */
export interface KeyEntry extends PublicKey {
  readonly comment?: string;
  /** As written, in order: `no-pty`, `from="10.0.0.0/8"`, … Secrets in them are replaced. */
  readonly options?: readonly string[];
}

/**
 * sshd(8), "AUTHORIZED_KEYS FILE FORMAT". A line that sshd would not take for a key is a problem, and
 * nothing of it is told: a private key or a password may have been pasted there.
 */
export function parseAuthorizedKeys(content: Uint8Array, fingerprint: Fingerprint): Parsed<KeyEntry> {
  const entries: KeyEntry[] = [];
  const problems: Problem[] = [];
  for (const [index, whole] of decode(content).split("\n").entries()) {
    const problem = (reason: string) => problems.push({ line: index + 1, reason });
    const nul = whole.indexOf("\0");
    if (nul >= 0) problem("NUL byte: what follows it on the line is not read");
    const line = (nul < 0 ? whole : whole.slice(0, nul)).replace(/^[ \t]+/, "").replace(/\r$/, "");
    if (line === "" || line.startsWith("#")) continue;
    const entry = readKey(line, [], fingerprint) ?? readOptionsAndKey(line, fingerprint);
    if (entry === undefined) problem("not a key that sshd would take");
    else entries.push(entry);
  }
  return { entries, problems };
}

function readKey(line: string, options: readonly string[], fingerprint: Fingerprint): KeyEntry | undefined {
  const [, type = "", base64 = "", rest = ""] = KEY.exec(line) ?? [];
  const key = isKeyType(type) ? readPublicKey(type, base64) : undefined;
  if (key === undefined) return undefined;
  const comment = redact(rest.trim(), fingerprint);
  return {
    ...key,
    ...(comment === "" ? {} : { comment }),
    ...(options.length === 0 ? {} : { options: options.map((option) => redactOption(option, fingerprint)) }),
  };
}

const KEY = /^([^ \t]+)[ \t]+([^ \t]+)(.*)$/s;

/** Options end at the first space that is not quoted (sshkey_advance_past_options). */
function readOptionsAndKey(line: string, fingerprint: Fingerprint): KeyEntry | undefined {
  const options: string[] = [];
  let begin = 0;
  let quoted = false;
  let at = 0;
  for (; at < line.length; at++) {
    const char = line[at];
    if (char === "\\" && line[at + 1] === '"') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === " " || char === "\t")) break;
    else if (!quoted && char === ",") {
      options.push(line.slice(begin, at));
      begin = at + 1;
    }
  }
  options.push(line.slice(begin, at));
  return readKey(line.slice(at).trimStart(), options, fingerprint);
}

/** `environment="TOKEN=…"` and commands can hold secrets. */
function redactOption(option: string, fingerprint: Fingerprint): string {
  const [, head = "", value = "", tail = ""] = /^([^=]*=")(.*)(")$/s.exec(option) ?? [];
  return head === "" ? redact(option, fingerprint) : head + redact(value, fingerprint) + tail;
}
