import { readFileSync } from "node:fs";
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
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw usage(`the configuration cannot be read: ${messageOf(error)}`, "name a file that exists with --config");
  }
  return parseConfig(text, path, settings);
}

export function parseConfig(text: string, file: string, settings: Args): Configuration {
  const table = parseToml(text, file);
  if (!isUpstream(table)) return { file, values: new Reader(text, file, settings).read(table), notes: [] };
  const { table: translated, notes } = translate(table);
  return { file, values: new Reader("", file, settings).read(translated), notes };
}

/** Keys of a `[[watch]]` table. */
const WATCH_KEYS = ["path", "consumer"];

class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #settings: Args;
  readonly #values = new Map<string, unknown>();

  constructor(text: string, file: string, settings: Args) {
    this.#text = text;
    this.#file = file;
    this.#settings = settings;
  }

  read(table: Table): ReadonlyMap<string, unknown> {
    for (const [key, value] of Object.entries(table)) {
      const arg = Object.hasOwn(this.#settings, key) ? this.#settings[key] : undefined;
      if (arg === undefined) throw this.#noSuchKey(key, Object.keys(this.#settings), lineOf(this.#text, key));
      if (key === "watch" && Array.isArray(value)) this.#readWatch(value, arg);
      else if (arg.many) this.#add(key, this.#list(key, value, arg));
      else this.#values.set(key, this.#one(key, value, arg, lineOf(this.#text, key)));
    }
    return this.#values;
  }

  /** Strings, or tables that name a consumer, too. */
  #readWatch(entries: readonly unknown[], arg: Arg): void {
    let nth = -1;
    for (const entry of entries) {
      if (!isTable(entry)) {
        this.#add("watch", [this.#one("watch", entry, arg, lineOf(this.#text, "watch"))]);
        continue;
      }
      nth++;
      const line = (key: string) => lineOf(this.#text, key, { name: "watch", nth }) ?? lineOf(this.#text, "watch");
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
    const line = lineOf(this.#text, key);
    if (Array.isArray(value)) return value.map((item) => this.#one(key, item, arg, line));
    throw this.#error(line, `${key} must be a list`, `write it like ${key} = [${JSON.stringify(value)}]`);
  }

  #add(key: string, values: readonly unknown[]): void {
    this.#values.set(key, [...((this.#values.get(key) as unknown[] | undefined) ?? []), ...values]);
  }

  #one(key: string, value: unknown, { kind }: Arg, line: number | undefined): unknown {
    const isRight = kind.toml === "integer" ? Number.isSafeInteger(value) : typeof value === kind.toml;
    if (!isRight || value === "") {
      const example = kind.toml === "string" ? `"${kind.hint}"` : kind.toml === "integer" ? "10" : "true";
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

  #noSuchKey(key: string, keys: readonly string[], line: number | undefined): BpfinkError {
    const near = nearest(key, keys);
    return this.#error(
      line,
      `no such key: ${key}`,
      near === undefined ? `it is one of ${keys.join(", ")}` : `did you mean ${near}?`,
    );
  }

  #error(line: number | undefined, message: string, hint: string): BpfinkError {
    return usage(`${this.#file}${line === undefined ? "" : ` line ${line}`}: ${message}`, hint);
  }
}

function describe(value: unknown): string {
  if (value === "") return "an empty one";
  if (Array.isArray(value)) return "a list";
  return isTable(value) ? "a table" : typeof value === "boolean" ? "true or false" : JSON.stringify(value);
}
