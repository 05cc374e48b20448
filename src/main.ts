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

// The only place that ends the process. It must: a thread may be waiting for the ring buffer.
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  log.error(messageOf(error));
  if (error instanceof Error && !(error instanceof BpfinkError)) {
    for (const line of error.stack?.split("\n") ?? []) log.debug(line);
  }
  process.exit(error instanceof BpfinkError ? error.status : ExitStatus.cannotWatch);
}
