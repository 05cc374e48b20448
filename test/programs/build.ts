// Builds the tests' own programs, each out of all C files of one directory.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const dist = join(import.meta.dir, "../../dist");

const COMMAND =
  "clang -static -O2 -g0 -pthread -std=gnu11 -Wall -Wextra -Werror -Wno-gnu-variable-sized-type-not-at-end".split(" ");

/**
 * @param name of the executable in dist, made anew when its source changed
 * @returns its path; static, so that it runs in every guest
 */
export function buildProgram(name: string, directory: string): string {
  const output = join(dist, name);
  const files = readdirSync(directory)
    .filter((file) => /\.[ch]$/.test(file))
    .map((file) => join(directory, file));
  const newest = Math.max(...[...files, import.meta.path].map((file) => statSync(file).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs > newest) return output;
  mkdirSync(dist, { recursive: true });
  const staging = `${output}.${process.pid}`;
  const sources = files.filter((file) => file.endsWith(".c"));
  const { exitCode, stderr } = Bun.spawnSync([...COMMAND, ...sources, "-o", staging], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`clang: status ${exitCode}\n${stderr.toString()}`);
  renameSync(staging, output);
  return output;
}

/** Path of the program that changes a file and is gone (fleeting.c). */
export const fleeting = (): string => process.env["BPFINK_FLEETING"] ?? buildProgram("fleeting", import.meta.dir);
