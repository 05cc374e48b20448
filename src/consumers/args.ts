import { basename } from "node:path";
import type { Fingerprint } from "./consumer.ts";
import { redacted } from "./hashes.ts";
import { redact } from "./redact.ts";
import type { Redaction } from "./redaction.ts";

/** Options whose value is a secret, in the next argument: GNU's long form, and the single dash of older programs. */
const SECRET_OPTION =
  /^--?(?:[\w-]*[_-])?(?:password|passwd|passphrase|pass|secret|token|api-?key|private-?key|credentials?)$/i;

/** Programs whose -p takes a password hash (useradd(8), usermod(8), groupadd(8), groupmod(8)). */
const HASH_PROGRAMS = new Set(["useradd", "usermod", "groupadd", "groupmod"]);

/**
 * argv without the secrets that people put there: hashes by their marks, values of options and keys
 * that look like a secret's. A bare word that is a password nobody can tell from another.
 */
export function redactArgs(args: readonly string[], fingerprint: Fingerprint, redaction?: Redaction): string[] {
  const isHashProgram = HASH_PROGRAMS.has(basename(args[0] ?? ""));
  return args.map((arg, i) => {
    const before = args[i - 1] ?? "";
    if (arg === "") return arg;
    if (SECRET_OPTION.test(before) || (isHashProgram && /^-[a-zA-Z]*p$/.test(before)))
      return redacted(arg, fingerprint);
    if (isHashProgram && /^-p./.test(arg)) return `-p${redacted(arg.slice(2), fingerprint)}`;
    return redact(arg, fingerprint, redaction);
  });
}
