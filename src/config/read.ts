import { closeSync, openSync, readSync } from "node:fs";
import { type Arg, type Args, usage } from "../cli/args.ts";
import { nearest } from "../cli/nearest.ts";
import { BpfinkError, messageOf } from "../errors.ts";
import { isTable, lineOf, parseToml, type Table } from "./toml.ts";
import { isUpstream, translate } from "./upstream.ts";

export const DEFAULT_CONFIG = "/etc/bpfink.toml";

/** What a configuration file says. */
export interface Configuration {
  readonly file: string;
  /** By the option's name; a list for one that can be repeated. */
  readonly values: ReadonlyMap<string, unknown>;
  /** For people: what in the file has no effect, and why. */
  readonly notes: readonly string[];
}

/**
 * Reads a configuration file: every option of `settings` is a key of the same name.
 *
 * @param file undefined: DEFAULT_CONFIG, if it exists
 * @throws BpfinkError with status `usage` that names file, line and what to write instead
 */
export function readConfig(file: string | undefined, settings: Args): Configuration | undefined {
  const path = file ?? DEFAULT_CONFIG;
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if (error instanceof BpfinkError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (file === undefined && code === "ENOENT") return undefined;
    throw usage(`the configuration ${path} cannot be read: ${messageOf(error)}`, remedyOf(code));
  }
  return parseConfig(text, path, settings);
}

/** More than that is no configuration. */
const MOST_BYTES = 1 << 20;

/** Of a pipe, too. */
function readText(path: string): string {
  const bytes = new Uint8Array(MOST_BYTES + 1);
  let length = 0;
  const fd = openSync(path, "r");
  try {
    for (let n = -1; n !== 0 && length < bytes.length; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
  } finally {
    closeSync(fd);
  }
  if (length > MOST_BYTES) throw usage(`${path} is longer than 1 MiB`, "name a configuration file: text, in TOML");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw usage(`${path} is no text in UTF-8`, "name a configuration file: text, in TOML");
  }
}

function remedyOf(code: string | undefined): string {
  if (code === "EACCES" || code === "EPERM") return "run bpfink as root (sudo), or make the file readable";
  return code === "EISDIR" ? "name the file in it" : "name a file that exists";
}

export function parseConfig(text: string, file: string, settings: Args): Configuration {
  const table = parseToml(text, file);
  if (!isUpstream(table)) return { file, values: new Reader(text, file, settings).read(table), notes: [] };
  const { table: translated, notes } = translate(table);
  return { file, values: new Reader("", file, settings).read(translated), notes };
}

/** Where something stands, looked for when it is to be told. */
type Line = () => number | undefined;

/** Keys of a `[[watch]]` table. */
const WATCH_KEYS = ["path", "consumer"];

class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #settings: Args;
  readonly #keys: readonly string[];
  readonly #values = new Map<string, unknown>();

  constructor(text: string, file: string, settings: Args) {
    this.#text = text;
    this.#file = file;
    this.#settings = settings;
    // which file is read is no matter of the file
    this.#keys = Object.keys(settings).filter((key) => key !== "config");
  }

  read(table: Table): ReadonlyMap<string, unknown> {
    for (const [key, value] of Object.entries(table)) {
      const arg = this.#keys.includes(key) ? this.#settings[key] : undefined;
      if (arg === undefined) throw this.#noSuchKey(key, this.#keys, () => lineOf(this.#text, key));
      if (key === "watch" && Array.isArray(value)) this.#readWatch(value, arg);
      else if (arg.many) this.#add(key, this.#list(key, value, arg));
      else
        this.#values.set(
          key,
          this.#one(key, value, arg, () => lineOf(this.#text, key)),
        );
    }
    return this.#values;
  }

  /** Strings, or tables that name a consumer, too. */
  #readWatch(entries: readonly unknown[], arg: Arg): void {
    let nth = -1;
    for (const entry of entries) {
      if (!isTable(entry)) {
        this.#add("watch", [this.#one("watch", entry, arg, () => lineOf(this.#text, "watch"))]);
        continue;
      }
      const number = ++nth;
      const line = (key: string) => () =>
        lineOf(this.#text, key, { name: "watch", nth: number }) ?? lineOf(this.#text, "watch");
      for (const key of Object.keys(entry)) {
        if (!WATCH_KEYS.includes(key)) throw this.#noSuchKey(key, WATCH_KEYS, line(key));
      }
      if (entry["path"] === undefined) {
        throw this.#error(line("consumer"), "a [[watch]] has no path", 'write it like path = "/etc/motd"');
      }
      const path = this.#one("path", entry["path"], arg, line("path"));
      this.#add("watch", [path]);
      const { consumer } = entry;
      if (consumer === undefined) continue;
      const rule = typeof consumer === "string" ? `${String(path)}=${consumer}` : consumer;
      this.#add("consumer", [this.#one("consumer", rule, this.#settings["consumer"]!, line("consumer"))]);
    }
  }

  #list(key: string, value: unknown, arg: Arg): unknown[] {
    const line = () => lineOf(this.#text, key);
    if (Array.isArray(value)) return value.map((item) => this.#one(key, item, arg, line));
    const example =
      isTable(value) && key === "watch"
        ? "[[watch]]"
        : `${key} = [${JSON.stringify(isTable(value) ? arg.kind.example : value)}]`;
    throw this.#error(line, `${key} must be a list`, `write it like ${example}`);
  }

  #add(key: string, values: readonly unknown[]): void {
    const all = this.#values.get(key) as unknown[] | undefined;
    if (all === undefined) this.#values.set(key, [...values]);
    else for (const value of values) all.push(value);
  }

  #one(key: string, value: unknown, { kind }: Arg, line: Line): unknown {
    const isRight = kind.toml === "integer" ? Number.isSafeInteger(value) : typeof value === kind.toml;
    if (!isRight || value === "") {
      const example =
        kind.toml === "string" ? `"${kind.example ?? kind.hint}"` : kind.toml === "integer" ? "10" : "true";
      const article = kind.toml === "integer" ? "an" : "a";
      throw this.#error(
        line,
        `${key} must be ${article} ${kind.toml}, not ${describe(value)}`,
        `write it like ${key} = ${example}`,
      );
    }
    try {
      return kind.parse(String(value), { name: key, cwd: undefined });
    } catch (error) {
      if (error instanceof BpfinkError) throw this.#error(line, error.message, error.hint);
      throw error;
    }
  }

  #noSuchKey(key: string, keys: readonly string[], line: Line): BpfinkError {
    const near = nearest(key, keys);
    return this.#error(
      line,
      `no such key: ${key}`,
      near === undefined ? `it is one of ${keys.join(", ")}` : `did you mean ${near}?`,
    );
  }

  #error(line: Line, message: string, hint: string): BpfinkError {
    const number = line();
    return usage(`${this.#file}${number === undefined ? "" : ` line ${number}`}: ${message}`, hint);
  }
}

function describe(value: unknown): string {
  if (value === "") return "an empty one";
  if (Array.isArray(value)) return "a list";
  return isTable(value) ? "a table" : typeof value === "boolean" ? "true or false" : JSON.stringify(value);
}
