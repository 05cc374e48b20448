import { createHash } from "node:crypto";
import { defineCommand, runCommand } from "citty";
import { version } from "../package.json";
import { commandHelpText, helpText } from "./cli/help.ts";
import { parseCommandLine, valuesOf } from "./cli/parse.ts";
import { COMMANDS } from "./commands/index.ts";
import { readConfig } from "./config/read.ts";
import { BpfinkError, ExitStatus, messageOf } from "./errors.ts";
import { embeddedLibbpf, readBpfObject } from "./kernel/assets.ts";
import { SETTINGS } from "./options.ts";
import { print } from "./print.ts";
import { log, LOG_LEVELS, setLogLevel } from "./log.ts";

async function main(argv: readonly string[]): Promise<ExitStatus> {
  const request = parseCommandLine(COMMANDS, argv);
  if ("print" in request) {
    if (request.print === "version") print(versionText());
    else print(request.command === undefined ? helpText(COMMANDS) : commandHelpText(request.command));
    return ExitStatus.ok;
  }
  const { command, given, operands } = request;
  const settle = () => {
    const file = given.get("config")?.at(-1);
    const configuration = "config" in command.args ? readConfig(file, SETTINGS) : undefined;
    for (const note of configuration?.notes ?? []) log.warn(`${configuration?.file}: ${note}`);
    return valuesOf(command.args, given, configuration?.values ?? new Map(), process.cwd());
  };
  const options = settle();
  setLogLevel(LOG_LEVELS.find((level) => level === options["logLevel"]) ?? "info");
  const runnable = defineCommand({
    meta: { name: command.name, version, description: command.summary },
    run: () => command.run(options, operands, settle),
  });
  const { result } = await runCommand(runnable, { rawArgs: [] });
  return result as ExitStatus;
}

function versionText(): string {
  const object = createHash("sha256").update(readBpfObject()).digest("hex");
  return [
    `bpfink ${version}`,
    `bun ${Bun.version}`,
    `libbpf ${embeddedLibbpf().libbpf.version}`,
    `BPF object sha256:${object}`,
    "",
  ].join("\n");
}

/** One line, and a status that says nothing else: Bun's own would be 1, which is "differences found". */
function fail(error: unknown): never {
  if (error instanceof BpfinkError) {
    log.error(messageOf(error));
    process.exit(error.status);
  }
  log.error(`${messageOf(error)}; nobody foresaw this: please report it, with what --log-level debug says`);
  if (error instanceof Error) for (const line of error.stack?.split("\n") ?? []) log.debug(line);
  process.exit(ExitStatus.cannotWatch);
}

// The only place that ends the process. It must: a thread may be waiting for the ring buffer.
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  fail(error);
}
