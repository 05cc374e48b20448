import type { Args } from "./args.ts";
import type { Command } from "./command.ts";

/** Where descriptions begin, in columns, or further to the right. */
const COLUMN = 22;

/** The text of `bpfink --help`: one screen of 80 columns and 24 lines, a prompt included. */
export function helpText(commands: readonly Command[]): string {
  const main = commands[0]!;
  const all = Object.entries(main.args);
  const essential = all.filter(([name]) => isEssential(main, name));
  return [
    "bpfink - logs what changes in files, as it changes, and who did it",
    ...table([
      ["bpfink [OPTIONS]", main.summary],
      ...commands.slice(1).map((command) => [usageOf(command), command.summary] as const),
    ]),
    "",
    ...table([...rowsOf(Object.fromEntries(essential)), ABOUT]),
    `  ${all.length - essential.length} more: bpfink ${main.name} --help; others: bpfink COMMAND --help (* several times)`,
    "",
    ...examples(main),
    "Without --watch: the files that say who may log in, and who may become root.",
    "Exit status: 0 as asked, 1 differs, 2 bad usage, 3 cannot watch, 4 no database.",
    "",
  ].join("\n");
}

/** The text of `bpfink COMMAND --help`: one such screen, too. */
export function commandHelpText(command: Command): string {
  const { operands, args, essential = [] } = command;
  const rows = rowsOf(Object.fromEntries(Object.entries(args).filter(([name]) => !essential.includes(name))));
  const more = essential.map((name) => `--${name}`).join(" ");
  return [
    `${usageOf(command)} - ${command.summary}`,
    "",
    ...table([...(operands === undefined ? [] : [[operands.hint, operands.description] as const]), ...rows, ABOUT]),
    ...(Object.values(args).some((arg) => arg.many) ? ["  * can be given several times"] : []),
    // what one screen has room for
    ...(essential.length > 0 ? ["", `and ${more}: bpfink --help`] : []),
    ...(essential.length > 0 || command.examples.length === 0 ? [] : ["", "EXAMPLES", ...examples(command)]),
    "",
  ].join("\n");
}

const isEssential = ({ essential }: Command, name: string): boolean => essential?.includes(name) ?? true;

/** What every command has. */
const ABOUT = ["--version, --help", "the version and what is embedded; this text"] as const;

function usageOf({ name, operands }: Command): string {
  const hint = operands === undefined ? "" : operands.min > 0 ? ` ${operands.hint}` : ` [${operands.hint}]`;
  return `bpfink ${name}${hint}`;
}

function rowsOf(args: Args): (readonly [string, string])[] {
  return Object.entries(args).map(([name, { kind, description, many }]) => {
    const option = kind.hint === undefined ? `--${name}` : `--${name} ${kind.hint}`;
    return [option, many ? `${description} *` : description] as const;
  });
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const column = Math.max(COLUMN, ...rows.map(([term]) => term.length + 4));
  return rows.map(([term, text]) => `  ${term}`.padEnd(column) + text);
}

function examples({ examples }: Command): string[] {
  const width = Math.max(...examples.map(([commandLine]) => commandLine.length));
  return examples.map(([commandLine, purpose]) => `  ${commandLine.padEnd(width + 3)}${purpose}`);
}
