import { readFileSync } from "node:fs";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { isRoot } from "../kernel/libc.ts";

/**
 * What makes the dynamic linker (ld.so(8)) or Bun load somebody's code into this process, or listen for
 * a debugger. BUN_BE_BUN cannot be in the list: with it the executable is bun, and runs none of this.
 */
const FOREIGN = [
  "LD_PRELOAD",
  "LD_AUDIT",
  "LD_LIBRARY_PATH",
  "BUN_OPTIONS",
  "BUN_INSPECT",
  "BUN_INSPECT_CONNECT_TO",
  "BUN_INSPECT_PRELOAD",
] as const;

/** @throws BpfinkError with status `usage` if the environment brings code that is not bpfink's */
export function refuseForeignCode(environment: Readonly<Record<string, string | undefined>>): void {
  const found = FOREIGN.filter((name) => (environment[name] ?? "") !== "");
  if (found.length === 0) return;
  throw new BpfinkError(
    ExitStatus.usage,
    `${found.join(" and ")} in the environment would load foreign code`,
    `start it without: env ${found.map((name) => `-u ${name}`).join(" ")} bpfink`,
  );
}

/** @throws BpfinkError with status `cannotWatch` */
export function requireRoot(): void {
  if (isRoot()) return;
  throw new BpfinkError(
    ExitStatus.cannotWatch,
    "not root",
    "run it with sudo: watching needs CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN",
  );
}

/** <asm-generic/fcntl.h> */
const O_CLOEXEC = 0o2000000;

/**
 * Where stdout was closed, Bun has opened /dev/null in its place by now, and lines would be taken for printed. It shows:
 * what is inherited is never closed on exec.
 *
 * @throws BpfinkError with status `cannotWatch`
 */
export function requireStdout(): void {
  const [, flags = "0"] = /^flags:\s*(\d+)$/m.exec(readFileSync("/proc/self/fdinfo/1", "utf8")) ?? [];
  if ((parseInt(flags, 8) & O_CLOEXEC) === 0) return;
  throw new BpfinkError(
    ExitStatus.cannotWatch,
    "stdout is closed, and the lines would be lost",
    "connect it, or say that nobody is to read them: > /dev/null",
  );
}
