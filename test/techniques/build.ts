// Builds the program: `buildTechniques()` returns its path, made anew when its source changed.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const directory = import.meta.dir;
const output = join(directory, "../../dist/techniques");

const COMMAND =
  "clang -static -O2 -g0 -pthread -std=gnu11 -Wall -Wextra -Werror -Wno-gnu-variable-sized-type-not-at-end".split(" ");

/** @returns the path of the executable; static, so that it runs in every guest */
export function buildTechniques(): string {
  const files = readdirSync(directory)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => join(directory, name));
  const newest = Math.max(...[...files, import.meta.path].map((file) => statSync(file).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs > newest) return output;
  mkdirSync(join(output, ".."), { recursive: true });
  const staging = `${output}.${process.pid}`;
  const sources = files.filter((name) => name.endsWith(".c"));
  const { exitCode, stderr } = Bun.spawnSync([...COMMAND, ...sources, "-o", staging], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`clang: status ${exitCode}\n${stderr.toString()}`);
  renameSync(staging, output);
  return output;
}
