import { command } from "../cli/command.ts";
import { valuesOf } from "../cli/parse.ts";
import { readConfig } from "../config/read.ts";
import { withoutHashes } from "../hashes.ts";
import { ExitStatus } from "../errors.ts";
import { log } from "../log.ts";
import { COMMON, SETTINGS } from "../options.ts";
import { print } from "../print.ts";
import { toJson } from "../visible.ts";

/** Says whether a configuration file can be used, and what it comes to. */
export const configCheck = command({
  name: "config check",
  summary: "say whether a configuration file can be used",
  args: { "log-level": COMMON["log-level"] },
  operands: { hint: "FILE", min: 1, max: 1, description: "the file, in TOML: every option is a key" },
  examples: [["bpfink config check /etc/bpfink.toml", "before systemctl reload bpfink"]],
  run: (_options, [file = ""]) => {
    const configuration = readConfig(file, SETTINGS);
    for (const note of configuration?.notes ?? []) log.warn(`${file}: ${note}`);
    valuesOf(SETTINGS, new Map(), configuration?.values ?? new Map(), "/");
    for (const [key, value] of configuration?.values ?? []) print(withoutHashes(`${key} = ${toJson(value)}\n`));
    return ExitStatus.ok;
  },
});
