import type { ExitStatus } from "../errors.ts";
import type { Args, Values } from "./args.ts";

/** What a command takes beside its options. */
export interface Operands {
  /** As in --help: `FILE`. */
  readonly hint: string;
  readonly min: number;
  readonly max: number;
  /** For --help. */
  readonly description: string;
}

/** One command: src/commands/ has a file for each, src/commands/index.ts the table. */
export interface Command {
  /** One word, or two: `config check`. */
  readonly name: string;
  /** One line for --help, in the imperative. */
  readonly summary: string;
  readonly args: Args;
  readonly operands: Operands | undefined;
  /** Of the options of the first command, those that `bpfink --help` has room for; undefined: all. */
  readonly essential: readonly string[] | undefined;
  /** Command line and what it is good for; for --help. */
  readonly examples: readonly (readonly [commandLine: string, purpose: string])[];
  /** Does it. The number is the status that the process exits with; throws BpfinkError. */
  run(
    options: Readonly<Record<string, unknown>>,
    operands: readonly string[],
    reread: () => Readonly<Record<string, unknown>>,
  ): Promise<ExitStatus> | ExitStatus;
}

/**
 * A command whose `run` gets its options with their types. `reread` reads the configuration file again:
 * the options as they would be now; it throws BpfinkError.
 */
export function command<A extends Args>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly args: A;
  readonly operands?: Operands;
  readonly essential?: readonly (keyof A & string)[];
  readonly examples?: Command["examples"];
  readonly run: (
    options: Values<A>,
    operands: readonly string[],
    reread: () => Values<A>,
  ) => Promise<ExitStatus> | ExitStatus;
}): Command {
  const { run } = definition;
  return {
    operands: undefined,
    essential: undefined,
    examples: [],
    ...definition,
    // parse.ts makes the values of the very table that A is the type of
    run: (options, operands, reread) => run(options as Values<A>, operands, reread as () => Values<A>),
  };
}
