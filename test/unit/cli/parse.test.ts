import { describe, expect, test } from "bun:test";
import { choice, duration, integer, many, one, path, text, toggle } from "../../../src/cli/args.ts";
import { type Command, command } from "../../../src/cli/command.ts";
import { commandHelpText, helpText } from "../../../src/cli/help.ts";
import { parseCommandLine, valuesOf } from "../../../src/cli/parse.ts";
import { COMMANDS } from "../../../src/commands/index.ts";
import { BpfinkError, ExitStatus } from "../../../src/errors.ts";

const run = () => ExitStatus.ok;
const watch = command({ name: "watch", summary: "watch", args: { watch: many(path("PATH"), ["/d"], "what") }, run });
const verify = command({
  name: "verify",
  summary: "check the chain",
  args: {
    json: toggle("as JSON"),
    limit: one(integer("N", 1, 100), 10, "how many"),
    since: one(duration("SPAN", 1000), undefined, "how long ago"),
    "sort-by": one(choice("KEY", ["time", "path"]), "time", "order"),
    user: many(text("NAME"), [], "whose"),
  },
  operands: { hint: "FILE", min: 0, max: 1, description: "what to read" },
  examples: [["bpfink verify -", "from stdin"]],
  run,
});
const check = command({
  name: "config check",
  summary: "check a file",
  args: {},
  operands: { hint: "FILE", min: 1, max: 2, description: "the file" },
  run,
});
const commands: readonly Command[] = [watch, verify, check];

function parse(...argv: string[]) {
  const request = parseCommandLine(commands, argv);
  if ("print" in request) return request;
  const { command, given, operands } = request;
  return { command: command.name, values: valuesOf(command.args, given, new Map(), "/home/ann"), operands };
}

const defaults = { json: false, limit: 10, since: undefined, sortBy: "time", user: [] };

test("the first command is what runs when none is named", () => {
  expect(parse()).toEqual({ command: "watch", values: { watch: ["/d"] }, operands: [] });
  expect(parse("watch", "--watch", "/x")).toEqual({ command: "watch", values: { watch: ["/x"] }, operands: [] });
});

test("options and operands of a command", () => {
  const all = ["verify", "--json", "--limit=7", "x", "--since", "90s", "--sort-by", "path", "--user=a", "--user", "b"];
  expect(parse(...all)).toEqual({
    command: "verify",
    values: { json: true, limit: 7, since: 90_000, sortBy: "path", user: ["a", "b"] },
    operands: ["x"],
  });
  expect(parse("verify", "-")).toEqual({ command: "verify", values: defaults, operands: ["-"] });
  expect(parse("verify", "--", "--json")).toEqual({ command: "verify", values: defaults, operands: ["--json"] });
  expect(parse("config", "check", "a", "b")).toEqual({ command: "config check", values: {}, operands: ["a", "b"] });
});

test("help is that of the command that is named", () => {
  expect(parse("--help")).toEqual({ print: "help", command: undefined });
  expect(parse("verify", "--help", "--nonsense")).toEqual({ print: "help", command: verify });
  expect(parse("config", "check", "--help")).toEqual({ print: "help", command: check });
  expect(parse("verify", "--version")).toEqual({ print: "version" });
});

describe("refused:", () => {
  const span = "it is a number with ms, s, m, h or d behind it, such as 90s or 10m, of 1000 ms to 366d";
  const table: [string[], string, string][] = [
    [["verfy"], "no such command: verfy", "did you mean bpfink verify?"],
    [["frobnicate"], "no such command: frobnicate", "see bpfink --help"],
    [["config"], "no such command: config alone", "write bpfink config check"],
    [["config", "--help"], "no such command: config alone", "write bpfink config check"],
    [["config", "chek"], "no such command: config chek", "write bpfink config check"],
    [["/etc/x"], 'unexpected argument "/etc/x"', "to watch a file, write --watch /etc/x"],
    [["--watch", "/x", "verify"], 'unexpected argument "verify"', "put the command first: bpfink verify …"],
    [["verify", "a", "b"], 'unexpected argument "b"', "see bpfink verify --help"],
    [["config", "check"], "bpfink config check needs FILE", "write it like bpfink config check FILE"],
    [["config", "check", "a", "b", "c"], 'unexpected argument "c"', "see bpfink config check --help"],
    [["verify", "--jsno"], "no such option: --jsno", "did you mean --json?"],
    [["verify", "--watch", "/x"], "no such option: --watch", "see bpfink verify --help"],
    [["verify", "--json", "--json"], "--json is given 2 times", "give it once"],
    [["verify", "--json=false"], "--json takes no value", 'leave out "=false"'],
    [["verify", "--limit", "0"], '--limit cannot be "0"', "it is a whole number from 1 to 100"],
    [["verify", "--limit", "1e1"], '--limit cannot be "1e1"', "it is a whole number from 1 to 100"],
    [["verify", "--since", "90"], '--since cannot be "90"', span],
    [["verify", "--since", "999ms"], '--since cannot be "999ms"', span],
    [["verify", "--since", "367d"], '--since cannot be "367d"', span],
    [["verify", "--sort-by", "tme"], '--sort-by cannot be "tme"', "did you mean time? it is one of time, path"],
  ];
  test.each(table)("%j", (argv, message, hint) => {
    try {
      parse(...argv);
    } catch (error) {
      if (!(error instanceof BpfinkError)) throw error;
      const { status } = error;
      expect({ message: error.message, hint: error.hint, status }).toEqual({ message, hint, status: ExitStatus.usage });
      return;
    }
    throw new Error("was taken");
  });
});

test("what a file configures holds where the command line says nothing, and is added to by it", () => {
  const configured = new Map<string, unknown>([
    ["limit", 5],
    ["sort-by", "path"],
    ["user", ["x", "y"]],
  ]);
  const given = new Map([
    ["limit", ["7"]],
    ["user", ["y", "z"]],
  ]);
  expect(valuesOf(verify.args, given, configured, "/")).toEqual({
    ...defaults,
    limit: 7,
    sortBy: "path",
    user: ["x", "y", "z"],
  });
});

describe("help fits a terminal of 80 columns and 24 lines, a prompt included", () => {
  function expectFit(text: string): string[] {
    const lines = text.split("\n");
    expect(lines.pop()).toBe("");
    expect({ wide: lines.filter((line) => line.length > 80), isTall: lines.length > 23 }).toEqual({
      wide: [],
      isTall: false,
    });
    return lines;
  }

  test("bpfink --help, with three examples", () => {
    const lines = expectFit(helpText(COMMANDS));
    expect(lines.filter((line) => line.startsWith("  bpfink --watch "))).toHaveLength(3);
    for (const { name } of COMMANDS.slice(1))
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^  bpfink ${name}\\b`)));
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))("bpfink %s --help", (name, command) => {
    const lines = expectFit(commandHelpText(command));
    expect(lines[0]).toStartWith(`bpfink ${name}`);
    // what is told by `bpfink --help` is named
    const essential = command.essential ?? [];
    for (const option of Object.keys(command.args)) {
      const told = essential.includes(option) ? `^and .*--${option}\\b` : `^  --${option}\\b.* \\S`;
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(told)));
    }
    for (const option of essential) {
      expect(helpText(COMMANDS)).toMatch(new RegExp(`^  --${option} .*\\S`, "m"));
    }
  });

  test("what a command takes", () => {
    expect(commandHelpText(verify)).toBe(`bpfink verify [FILE] - check the chain

  FILE                what to read
  --json              as JSON
  --limit N           how many
  --since SPAN        how long ago
  --sort-by KEY       order
  --user NAME         whose *
  --version, --help   the version and what is embedded; this text
  * can be given several times

EXAMPLES
  bpfink verify -   from stdin
`);
  });
});
