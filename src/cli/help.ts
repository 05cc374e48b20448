import type { Args } from "./args.ts";
import type { Command } from "./command.ts";

/** Where descriptions begin, in columns, or further to the right. */
const COLUMN = 22;

/** The text of `bpfink --help`: at most 100 columns wide, and one screen of 40 lines. */
export function helpText(commands: readonly Command[]): string {
  const [main] = commands;
  const all = Object.entries(main!.args);
  const essential = Object.fromEntries(all.filter(([name]) => main!.essential?.includes(name) ?? true));
  const rest = all.length - Object.keys(essential).length;
  return [
    "bpfink - logs what changes in files, as it changes, and who did it",
    "",
    "USAGE",
    ...table([
      ["bpfink [OPTIONS]", "watch until SIGINT or SIGTERM; one line of JSON a change on stdout"],
      ...commands.slice(1).map((command) => [usageOf(command), command.summary] as const),
      ["bpfink COMMAND --help", "the options of a command"],
    ]),
    "",
    "OPTIONS",
    ...table(rowsOf(essential)),
    ...(rest > 0 ? [`and ${rest} more: bpfink ${main!.name} --help`] : []),
    "",
    "EXAMPLES",
    ...examples(main!),
    "",
    "Without --watch: the files that say who may log in, and who may become root.",
    "Exit status: 0 as asked, 1 differences found, 2 bad usage, 3 cannot watch, 4 database unusable.",
    "",
  ].join("\n");
}

/** The text of `bpfink COMMAND --help`. */
export function commandHelpText(command: Command): string {
  const { operands } = command;
  return [
    `${usageOf(command)} - ${command.summary}`,
    "",
    "OPTIONS",
    ...table([
      ...(operands === undefined ? [] : [[operands.hint, operands.description] as const]),
      ...rowsOf(command.args),
    ]),
    ...(command.examples.length === 0 ? [] : ["", "EXAMPLES", ...examples(command)]),
    "",
  ].join("\n");
}

function usageOf({ name, operands }: Command): string {
  const hint = operands === undefined ? "" : operands.min > 0 ? ` ${operands.hint}` : ` [${operands.hint}]`;
  return `bpfink ${name}${hint}`;
}

function rowsOf(args: Args): (readonly [string, string])[] {
  const many = Object.values(args).some((arg) => arg.many);
  return [
    ...Object.entries(args).map(([name, { kind, description, many }]) => {
      const option = kind.hint === undefined ? `--${name}` : `--${name} ${kind.hint}`;
      return [option, many ? `${description} *` : description] as const;
    }),
    ["--version", "print the version, and those of what is embedded"],
    ["--help", many ? "print this text (* can be given several times)" : "print this text"],
  ];
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const column = Math.max(COLUMN, ...rows.map(([term]) => term.length + 4));
  return rows.map(([term, text]) => `  ${term}`.padEnd(column) + text);
}

function examples({ examples }: Command): string[] {
  const width = Math.max(...examples.map(([commandLine]) => commandLine.length));
  return examples.map(([commandLine, purpose]) => `  ${commandLine.padEnd(width + 3)}${purpose}`);
}
