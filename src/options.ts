import { normalize, resolve } from "node:path";
import { parseArgs, type ParseArgsConfig } from "node:util";
import type { ArgsDef } from "citty";
import { BpfinkError, ExitStatus } from "./errors.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { type Backend, BACKENDS } from "./source/choose.ts";

/** What is watched when nobody says: who may log in, and who may become root. */
export const DEFAULT_WATCH: readonly string[] = [
  "/etc/passwd",
  "/etc/shadow",
  "/etc/group",
  "/etc/gshadow",
  "/etc/sudoers",
  "/etc/sudoers.d/*",
  "/etc/security/access.conf",
  "/etc/ssh/sshd_config",
];

export const DEFAULT_DATABASE = "/var/lib/bpfink/bpfink.db";

/** The command line: citty's definition of it, which parseOptions checks and --help prints. */
export const ARGS = {
  watch: {
    type: "string",
    valueHint: "PATH",
    description: "file, directory or quoted glob to watch, existing yet or not (repeatable)",
  },
  exclude: { type: "string", valueHint: "GLOB", description: "leave out what matches, and all below it (repeatable)" },
  root: { type: "string", valueHint: "DIR", description: "treat DIR as /: every watched path lies below it" },
  database: {
    type: "string",
    valueHint: "FILE",
    description: `keeps the last state (${DEFAULT_DATABASE}); :memory: keeps nothing`,
  },
  backend: {
    type: "enum",
    options: [...BACKENDS],
    valueHint: "NAME",
    description: `${BACKENDS.join(", ")}: auto takes the best that works`,
  },
  "log-level": {
    type: "enum",
    options: [...LOG_LEVELS],
    valueHint: "LEVEL",
    description: `${LOG_LEVELS.join(", ")} (info): how much to say on stderr`,
  },
  version: { type: "boolean", description: "print the version, and those of what is embedded" },
  help: { type: "boolean", description: "print this text" },
} as const satisfies ArgsDef;

export interface Options {
  /** Absolute, normalised paths and globs. */
  readonly watch: readonly string[];
  readonly exclude: readonly string[];
  /** Absolute; "/" without --root. */
  readonly root: string;
  /** Absolute, or ":memory:". */
  readonly database: string;
  readonly backend: Backend;
  readonly logLevel: LogLevel;
}

export type Request = { readonly print: "help" | "version" } | { readonly run: Options };

/**
 * The command line, checked.
 *
 * @param argv without the program's own name
 * @param cwd to say what a relative path would have to be
 * @throws BpfinkError with status `usage`
 */
export function parseOptions(argv: readonly string[], cwd: string): Request {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, arg] of Object.entries(ARGS)) {
    options[name] = arg.type === "boolean" ? { type: "boolean" } : { type: "string", multiple: true };
  }
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true, allowPositionals: true });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") throw unexpectedArgument(token.value);
    const known = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (known === undefined || token.rawName !== `--${token.name}`) throw noSuchOption(token.rawName);
    if (known.type === "boolean") {
      if (token.value !== undefined) throw usage(`${token.rawName} takes no value`, `leave out "=${token.value}"`);
      if (token.name === "help" || token.name === "version") return { print: token.name };
    } else if (
      token.value === undefined ||
      token.value === "" ||
      (!token.inlineValue && token.value.startsWith("--"))
    ) {
      throw usage(`${token.rawName} needs a value`, `write it like ${token.rawName} ${hintOf(token.name)}`);
    } else {
      values.set(token.name, [...(values.get(token.name) ?? []), token.value]);
    }
  }
  const single = (name: string): string | undefined => {
    const given = values.get(name) ?? [];
    if (given.length > 1) throw usage(`--${name} is given ${given.length} times`, "give it once");
    return given[0];
  };
  const watch = (values.get("watch") ?? []).map((path) => absolute("--watch", path, cwd));
  const database = single("database") ?? DEFAULT_DATABASE;
  return {
    run: {
      watch: watch.length > 0 ? [...new Set(watch)] : DEFAULT_WATCH,
      exclude: (values.get("exclude") ?? []).map((path) => absolute("--exclude", path, cwd)),
      root: absolute("--root", single("root") ?? "/", cwd),
      database: database === ":memory:" ? database : absolute("--database", database, cwd),
      backend: oneOf("--backend", single("backend") ?? "auto", BACKENDS),
      logLevel: oneOf("--log-level", single("log-level") ?? "info", LOG_LEVELS),
    },
  };
}

function usage(message: string, hint: string): BpfinkError {
  return new BpfinkError(ExitStatus.usage, message, hint);
}

function unexpectedArgument(value: string): BpfinkError {
  return usage(
    `unexpected argument "${value}"`,
    `to watch a file, write --watch ${value.startsWith("/") ? value : "PATH"}`,
  );
}

function noSuchOption(rawName: string): BpfinkError {
  const names = Object.keys(ARGS).map((name) => `--${name}`);
  const near = nearest(rawName, names);
  return usage(`no such option: ${rawName}`, near === undefined ? "see bpfink --help" : `did you mean ${near}?`);
}

function hintOf(name: string): string {
  const arg = ARGS[name as keyof typeof ARGS];
  return "valueHint" in arg ? arg.valueHint : "VALUE";
}

function absolute(option: string, path: string, cwd: string): string {
  if (!path.startsWith("/")) {
    throw usage(`${option} ${path} is a relative path`, `write it in full: ${option} ${resolve(cwd, path)}`);
  }
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const near = nearest(value, allowed);
  throw usage(
    `${option} cannot be "${value}"`,
    `${near === undefined ? "" : `did you mean ${near}? `}it is one of ${allowed.join(", ")}`,
  );
}

/** The candidate that two or fewer typing errors, or a missing end, make of the word. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: candidate.startsWith(word) ? 0 : editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= 2 ? best.candidate : undefined;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
