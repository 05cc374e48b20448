// Processes that tests start: bpfink itself, and those that change files for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The executable under test. */
export const BPFINK = process.env["BPFINK"] ?? join(import.meta.dir, "../../dist/bpfink");

/** Of the virtual machine (test/vm/kernels.ts); undefined: this machine's. */
export const KERNEL = process.env["BPFINK_KERNEL"];

/** In a VM the processor is emulated: some ten times slower. */
export const inVm = KERNEL !== undefined;

/** How long to wait for what must come, in milliseconds. */
export const PATIENCE = Number(process.env["BPFINK_PATIENCE"] ?? (inVm ? 60_000 : 10_000));

/**
 * Where the kernel is preemptible it skips a program now and then: most often with fentry, which bpfink does not
 * choose by itself there, and once in some thousand tests with kprobe. A `gap` line says so, and what is found then has the origin `gap` and no process.
 */
export const CAN_LOSE = KERNEL === "sid";

/** The backends to test what each event brings with: those that lose none here. */
export const FORMS = !inVm ? ["auto"] : CAN_LOSE ? ["ebpf/kprobe"] : ["ebpf/fentry", "ebpf/kprobe"];

/** Where a test has run with fanotify, trampolines and kprobes, whatever else the kernel is. */
export const EACH_BACKEND = !inVm || ["6.12", "sid"].includes(KERNEL ?? "");

/** Of a hook that starts bpfink, as beforeAll takes it. */
export const SLOW = 3 * PATIENCE;

export interface Ended {
  readonly pid: number;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** The environment without what would turn a bpfink into a bun. */
export function environment(extra: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const { BUN_BE_BUN: _, ...rest } = Object.fromEntries(inherited);
  return { ...rest, LC_ALL: "C", ...extra };
}

/** Runs a command to its end. */
export async function end(command: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = Bun.spawn([...command], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: environment(options.env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { pid: child.pid, status, stdout, stderr };
}

/** Runs a command that must succeed. */
export async function run(...command: string[]): Promise<Ended> {
  return succeeded(command, await end(command));
}

export function succeeded(command: readonly string[], ended: Ended): Ended {
  if (ended.status !== 0)
    throw new Error(`${command.join(" ")}: status ${ended.status}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

/** Runs bpfink to its end. */
export const bpfink = (args: readonly string[], options?: RunOptions): Promise<Ended> =>
  end([BPFINK, ...args], options);

/** MiB of memory that a process has (VmRSS of proc_pid_status(5)). */
export const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** A command that writes what it is given to a file, and lives on with it open: `tee -a FILE`, whatever is before it. */
export class Writer implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "ignore", "inherit">;

  /** @param command must end up, in the same process, as a program that copies its input to a file */
  constructor(...command: string[]) {
    this.#child = Bun.spawn(command, { env: environment(), stdin: "pipe", stdout: "ignore", stderr: "inherit" });
  }

  get pid(): number {
    return this.#child.pid;
  }

  async write(text: string): Promise<void> {
    this.#child.stdin.write(text);
    await this.#child.stdin.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
