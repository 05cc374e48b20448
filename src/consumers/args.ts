import { basename } from "node:path";
import type { Fingerprint } from "./consumer.ts";
import { redacted } from "../hashes.ts";
import { redact } from "./redact.ts";
import type { Redaction } from "./redaction.ts";

/** Options whose value is a secret, in the next argument: GNU's long form, and the single dash of older programs. */
const SECRET_OPTION =
  /^--?(?:[\w-]*[_-])?(?:password|passwd|passphrase|pass|secret|token|api-?key|private-?key|credentials?)$/i;

/** Programs whose -p takes a password hash (useradd(8), usermod(8), groupadd(8), groupmod(8)). */
const HASH_PROGRAMS = ["useradd", "usermod", "groupadd", "groupmod"];

/** `-pHASH`, perhaps behind options that take no value. */
const JOINED_HASH = /^(-[mMrlNoDULf]*p)(.+)$/s;

/** Programs whose last argument is a password if one of the options is -b (htpasswd(1)). */
const PASSWORD_PROGRAMS = ["htpasswd", "htdbm"];

/**
 * argv without the secrets that people put there: hashes by their marks, values of options and keys
 * that look like a secret's. A bare word that is a password nobody can tell from another.
 */
export function redactArgs(args: readonly string[], fingerprint: Fingerprint, redaction?: Redaction): string[] {
  // sudo, env or busybox may stand before it
  const optionsOf = (programs: readonly string[]) => {
    const program = args.findIndex((arg) => programs.includes(basename(arg)));
    return program < 0 ? [] : args.slice(program + 1);
  };
  const firstHashOption = args.length - optionsOf(HASH_PROGRAMS).length;
  const isPasswordLast = optionsOf(PASSWORD_PROGRAMS).some((arg) => /^-[a-zA-Z]*b/.test(arg));
  return args.map((arg, i) => {
    const before = args[i - 1] ?? "";
    if (arg === "") return arg;
    if (isPasswordLast && i === args.length - 1) return redacted(arg, fingerprint);
    if (SECRET_OPTION.test(before) || (i > firstHashOption && /^-[a-zA-Z]*p$/.test(before)))
      return redacted(arg, fingerprint);
    const [, option = "", hash = ""] = (i >= firstHashOption && JOINED_HASH.exec(arg)) || [];
    if (hash !== "") return option + redacted(hash, fingerprint);
    return redact(arg, fingerprint, redaction);
  });
}
