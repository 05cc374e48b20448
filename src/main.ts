import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { defineCommand, runCommand } from "citty";
import { version } from "../package.json";
import { watch } from "./commands/watch.ts";
import { BpfinkError, ExitStatus, messageOf } from "./errors.ts";
import { helpText } from "./help.ts";
import { embeddedLibbpf, readBpfObject } from "./kernel/assets.ts";
import { log, setLogLevel } from "./log.ts";
import { ARGS, type Options, parseOptions } from "./options.ts";

const command = defineCommand({
  meta: { name: "bpfink", version, description: "logs what changes in files, as it changes, and who did it" },
  args: ARGS,
  run: ({ data }) => watch(data as Options),
});

async function main(argv: readonly string[]): Promise<ExitStatus> {
  const request = parseOptions(argv, process.cwd());
  if ("print" in request) {
    print(request.print === "help" ? helpText() : versionText());
    return ExitStatus.ok;
  }
  setLogLevel(request.run.logLevel);
  const { result } = await runCommand(command, { rawArgs: [], data: request.run });
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

function print(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // stdout closed: nobody reads it
  }
}

// The only place that ends the process. It must: a thread may be waiting for the ring buffer.
try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  log.error(messageOf(error));
  if (!(error instanceof BpfinkError)) log.debug(error instanceof Error ? error.stack : error);
  process.exit(error instanceof BpfinkError ? error.status : ExitStatus.cannotWatch);
}
