import { parseArgs, type ParseArgsConfig } from "node:util";
import { type Args, camelCase, type Place, usage } from "./args.ts";
import type { Command } from "./command.ts";
import { nearest } from "./nearest.ts";

/** A command line, read but not yet checked: values by the option's name. */
export interface Parsed {
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

export type Request =
  | { readonly print: "version" }
  | { readonly print: "help"; readonly command: Command | undefined }
  | ({ readonly command: Command } & Parsed);

/**
 * Which command is asked for, and with what. Options that every command has (`--help`, `--version`)
 * end the reading: what comes after them does not matter.
 *
 * @param argv without the program's own name
 * @param commands the first is the one that runs when none is named
 * @throws BpfinkError with status `usage`
 */
export function parseCommandLine(commands: readonly Command[], argv: readonly string[]): Request {
  const { command, words } = chooseCommand(commands, argv);
  const parsed = parseOptions(command, commands, argv.slice(words));
  if ("print" in parsed) {
    return parsed.print === "help"
      ? { print: "help", command: words === 0 ? undefined : command }
      : { print: "version" };
  }
  return { command, ...parsed };
}

function chooseCommand(commands: readonly Command[], argv: readonly string[]): { command: Command; words: number } {
  const [first, second] = argv;
  if (first === undefined || first.startsWith("-")) return { command: commands[0]!, words: 0 };
  for (const [words, name] of [`${first} ${second}`, first].map((name, i) => [2 - i, name] as const)) {
    const command = commands.find((candidate) => candidate.name === name);
    if (command !== undefined) return { command, words };
  }
  const names = commands.map(({ name }) => name);
  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0) {
    const what = second === undefined || second.startsWith("-") ? `${first} alone` : `${first} ${second}`;
    throw usage(`no such command: ${what}`, `write bpfink ${group.join(", or bpfink ")}`);
  }
  if (first.includes("/")) throw unexpectedArgument(first, commands[0]!, commands);
  const near = nearest(first, names);
  throw usage(`no such command: ${first}`, near === undefined ? "see bpfink --help" : `did you mean bpfink ${near}?`);
}

function parseOptions(
  command: Command,
  commands: readonly Command[],
  argv: readonly string[],
): Parsed | { readonly print: "help" | "version" } {
  const { args, operands: taken } = command;
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean" }, version: { type: "boolean" } };
  for (const [name, { kind }] of Object.entries(args)) {
    options[name] = kind.hint === undefined ? { type: "boolean" } : { type: "string", multiple: true };
  }
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true, allowPositionals: true });
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (operands.length >= (taken?.max ?? 0)) throw unexpectedArgument(token.value, command, commands);
      operands.push(token.value);
      continue;
    }
    const { name, rawName, value } = token;
    if (rawName === "-h") return { print: "help" };
    const known = Object.hasOwn(options, name) ? options[name] : undefined;
    if (known === undefined || rawName !== `--${name}`) throw noSuchOption(rawName, command, Object.keys(options));
    if (known.type === "boolean") {
      if (value !== undefined) throw usage(`${rawName} takes no value`, `leave out "=${value}"`);
      if (name === "help" || name === "version") return { print: name };
    } else if (value === undefined || value === "" || (!token.inlineValue && value.startsWith("--"))) {
      throw usage(`${rawName} needs a value`, `write it like ${rawName} ${args[name]!.kind.hint}`);
    }
    given.set(name, [...(given.get(name) ?? []), value ?? "true"]);
  }
  if (taken !== undefined && operands.length < taken.min) {
    throw usage(`bpfink ${command.name} needs ${taken.hint}`, `write it like bpfink ${command.name} ${taken.hint}`);
  }
  return { given, operands };
}

/** What a configuration file says, by the option's name: already checked. */
export type Configured = ReadonlyMap<string, unknown>;

/**
 * The values that a command gets: the command line's; where it says nothing, the configuration's;
 * else the fallback. A list has what both say, the configuration first.
 *
 * @throws BpfinkError with status `usage`
 */
export function valuesOf(args: Args, given: Parsed["given"], configured: Configured, cwd: string) {
  const values: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries(args)) {
    const texts = given.get(name) ?? [];
    const place: Place = { name: `--${name}`, cwd };
    if (!arg.many && texts.length > 1) throw usage(`--${name} is given ${texts.length} times`, "give it once");
    const parsed: unknown[] = texts.map((text) => arg.kind.parse(text, place));
    const before = configured.get(name);
    if (!arg.many) values[camelCase(name)] = texts.length > 0 ? parsed[0] : (before ?? arg.fallback);
    else {
      const all = [...((before as unknown[] | undefined) ?? []), ...parsed];
      values[camelCase(name)] = all.length > 0 ? [...new Set(all)] : arg.fallback;
    }
  }
  return values;
}

function unexpectedArgument(value: string, { args, name }: Command, commands: readonly Command[]): Error {
  const message = `unexpected argument "${value}"`;
  if (commands.some((command) => command.name.split(" ")[0] === value)) {
    return usage(message, `put the command first: bpfink ${value} …`);
  }
  if (!("watch" in args)) return usage(message, `see bpfink ${name} --help`);
  return usage(message, `to watch a file, write --watch ${value.startsWith("/") ? value : "PATH"}`);
}

function noSuchOption(rawName: string, { name }: Command, options: readonly string[]): Error {
  // -w, where there is but one that it can be short for
  const initial = /^-[a-z]$/.test(rawName) ? options.filter((option) => option.startsWith(rawName.slice(1))) : [];
  const near =
    initial.length === 1
      ? `--${initial[0]}`
      : nearest(
          rawName,
          options.map((option) => `--${option}`),
        );
  const help = name === "watch" ? "see bpfink --help" : `see bpfink ${name} --help`;
  return usage(`no such option: ${rawName}`, near === undefined ? help : `did you mean ${near}?`);
}
