import { realpathSync, statSync } from "node:fs";
import { dirname, relative } from "node:path";
import { DEFAULT_CONFIG } from "../config/read.ts";
import { type Redaction, redactionOf, SECRET_KEYS } from "../consumers/redaction.ts";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { findKeyFiles } from "../homes/key-files.ts";
import { HomesSelection } from "../homes/selection.ts";
import { DEFAULT_WATCH, EVERY_USERS_KEYS, type Options } from "../options.ts";
import { MEMORY } from "../state/open.ts";
import { select, type Selection } from "../watch/selection.ts";

/** Where to look, as `check` and the watch have it in common. */
export interface Scope {
  /** What `/` means; free of symbolic links. */
  readonly root: string;
  readonly selection: Selection;
  /** What is a secret in texts, where it is not the built-in rules alone that say it. */
  readonly redaction?: Redaction;
}

type ScopeOptions = Pick<
  Options,
  "root" | "config" | "database" | "watch" | "exclude" | "redact" | "redactKey" | "consumer"
>;

/** @throws BpfinkError with status `usage` if --root is no directory */
export function scopeOf(options: ScopeOptions): Scope {
  const root = directoryAt(options.root);
  const { redact, redactKey } = options;
  const redaction =
    redact.length + redactKey.length === 0
      ? {}
      : { redaction: redactionOf({ patterns: redact, keys: [...SECRET_KEYS, ...redactKey] }) };
  const exclude = [...options.exclude, ...ownFiles(options)];
  const isDefault = options.watch === DEFAULT_WATCH && options.root === "/";
  const watch = isDefault ? [...options.watch, ...bpfinksOwn(options)] : options.watch;
  const paths = watch.filter((path) => path !== EVERY_USERS_KEYS);
  const named = select(paths, exclude, options.consumer);
  if (paths.length === watch.length) return { root, selection: named, ...redaction };
  return { root, selection: new HomesSelection(named, exclude, () => findKeyFiles(root)), ...redaction };
}

/** What decides what bpfink does, and whether it runs: who changes that need not change anything else. */
function bpfinksOwn({ database, config }: ScopeOptions): string[] {
  const state = database === MEMORY ? [] : [dirname(database)];
  const units = ["/etc/systemd/system", "/usr/lib/systemd/system"].map((directory) => `${directory}/bpfink.service`);
  return [process.execPath, ...state, config ?? DEFAULT_CONFIG, ...units];
}

/** The database, which each line changes: watching it would never end. As globs, seen from --root. */
function ownFiles({ database, root }: ScopeOptions): string[] {
  if (database === MEMORY) return [];
  const seen = relative(root, database);
  if (seen.startsWith("../")) return [];
  const literal = `/${seen}`.replace(/[\\*?[\]{}!]/g, "\\$&");
  return ["", "-wal", "-shm", "-used", "-canary"].map((suffix) => literal + suffix);
}

function directoryAt(path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch {
    // said below
  }
  throw new BpfinkError(ExitStatus.usage, `--root ${path} is not a directory`, "name one that exists");
}
