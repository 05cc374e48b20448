import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Counts, readJunit } from "../../build/junit.mjs";
import { temporaryDirectory } from "./cleanup.ts";
import { filesDisk } from "./files.ts";
import { ensureKernel, isKernelName, kernelNames, type KernelName } from "./kernels.ts";
import { guestDirectory, guestEnvironment, guestFiles, repository } from "./layout.ts";
import { failedTests, tail } from "./report.ts";
import { runInVm, VmLostError, type VmRecord, type VmResult, VmTimeoutError } from "./vm.ts";

export interface SuiteOptions {
  /** Host path of the compiled bpfink. */
  binary: string;
  /** Names out of kernels.ts; none or empty: all. */
  kernels?: readonly string[];
  /** VMs at a time, memory permitting; default 2. */
  parallel?: number;
  /** Called with each line that says how far a suite is. */
  onLine?: (line: string) => void;
}

export interface SuiteOutcome extends Counts {
  readonly seconds: number;
  /** The kernel's name, `preempt=full`, or `harness` for the harness's test of itself. */
  name: string;
  /** What has to be read when something failed; else short. */
  log: string;
}

/** MiB of a VM's memory, and of QEMU's own on top of it. */
const memory = 2048;
const overhead = 512;

/** For the whole of the end to end tests on one kernel, and for one of them, in ms: TCG is some ten times slower than a processor. */
const suiteTimeout = 60 * 60_000;
const testTimeout = 180_000;

/** Empty disks for the file systems that the root is not, in MiB: mkfs.xfs wants 300 at least. */
export const scratch = [512, 512];

/** Of what a kernel between them does as one of the two. */
const extremes: readonly KernelName[] = ["5.10", "sid"];

/** The end to end tests, and the kernels they run on: all of them on a kernel that is named. */
export const plan: Readonly<Record<string, readonly KernelName[]>> = {
  // what hooks see, and what is read of the kernel's structures
  techniques: kernelNames,
  mounts: kernelNames,
  where: kernelNames,
  who: kernelNames,
  births: extremes,
  detached: extremes,
  "file-systems": extremes,
  silent: extremes,
  stores: extremes,
  fleeting: ["5.10", "6.12", "sid"],
  leaks: ["6.12", "sid"],
  refused: ["5.10", "6.12"],
  // hooks, maps and ring at work
  blind: ["6.12"],
  excludes: ["6.1", "sid"],
  gap: ["6.1", "sid"],
  moved: ["6.1", "sid"],
  // what user space makes of it, natively tested as well
  canary: ["6.1"],
  directories: ["6.1"],
  doctor: ["5.10"],
  editing: ["6.1"],
  environment: ["5.10"],
  paths: ["6.1"],
  programs: ["sid"],
  "shadow-utils": ["6.1"],
  signals: ["6.12"],
  unseen: ["6.1"],
};

/** The kernel that is booted once more, with full preemption, for what is different then. */
const preemptible: KernelName = "sid";

/**
 * Runs the end to end tests on the kernels that are named, or on all kernels as planned. And the harness's test of
 * itself on one.
 * A kernel that is not there, a VM that stays lost, a splat, and a run without a test are failures of their suite.
 * @throws Error for a kernel that is not known
 */
export async function runVmSuites(options: SuiteOptions): Promise<SuiteOutcome[]> {
  const kernels = chosenKernels(options.kernels ?? []);
  const say = options.onLine ?? (() => {});
  // Held here so that all kernels share one.
  using _files = await filesDisk(guestFiles(options.binary));
  const isNamed = (options.kernels ?? []).length > 0;
  const tests = (name: KernelName) =>
    isNamed ? ["./test/e2e"] : Object.keys(plan).flatMap((file) => (plan[file]!.includes(name) ? filterOf(file) : []));
  // the longest first, that no processor waits at the end
  const inOrder = [...kernels].sort((a, b) => tests(b).length - tests(a).length);
  const suites = [
    ...inOrder.map((name) => ({ name, run: () => endToEnd(name, options.binary, tests(name), say) })),
    ...kernels
      .filter((name) => name === preemptible)
      .map((name) => ({
        name: "preempt=full",
        run: () => endToEnd(name, options.binary, ["./test/preempt"], say, "preempt=full"),
      })),
    { name: "harness", run: () => harness(kernels[0] ?? "6.1") },
  ];
  const limit = Math.max(1, Math.min(options.parallel ?? 2, Math.floor(availableMemory() / (memory + overhead))));
  return pool(limit, suites, async ({ name, run }) => {
    const started = performance.now();
    const outcome = await run().catch((error: unknown) => ({ ...oneFailure, log: explain(error) }));
    const seconds = (performance.now() - started) / 1000;
    say(`${name}: ${outcome.passed} passed, ${outcome.failed} failed in ${seconds.toFixed(0)} s`);
    return { name, seconds, ...outcome };
  });
}

/** What bun test finds a file by. Short: who.test.ts looks at the arguments of its process, of which 512 bytes are kept. */
export const filterOf = (name: string): string => `e2e/${name}.test`;

const oneFailure: Counts = { passed: 0, failed: 1, skipped: 0 };

function chosenKernels(names: readonly string[]): KernelName[] {
  const unknown = names.find((name) => !isKernelName(name));
  if (unknown !== undefined) throw new Error(`no kernel ${unknown}: choose from ${kernelNames.join(", ")}`);
  return names.length === 0 ? kernelNames : names.filter(isKernelName);
}

async function endToEnd(
  name: KernelName,
  binary: string,
  tests: readonly string[],
  say: (line: string) => void,
  append = "",
): Promise<Counts & { log: string }> {
  using results = temporaryDirectory();
  const junit = "junit.xml";
  const reporter = ["--reporter=junit", `--reporter-outfile=/out/${junit}`];
  const bunTest = ["bun", "test", ...tests, `--timeout=${testTimeout}`, ...reporter];
  const result = await runInVm(
    // One stream, so that what a test printed stands before its verdict.
    ["sh", "-c", 'exec "$@" 2>&1', "sh", ...bunTest],
    await ensureKernel(name),
    {
      files: guestFiles(binary),
      environment: guestEnvironment(name),
      directory: guestDirectory,
      out: results.path,
      memory,
      scratch,
      timeout: suiteTimeout,
      append,
      onStdout: lineSplitter((line) => say(`${name}: ${line}`)),
    },
  );
  const report = join(results.path, junit);
  return judge(result, existsSync(report) ? readFileSync(report, "utf8") : "");
}

/** Counts of a run that came to its end; each splat is a failure on top. */
export function judge(result: VmResult, junit: string): Counts & { log: string } {
  const counts = readJunit(junit, result.status);
  const failed = counts.failed + result.splats.length;
  const times = result.attempts > 1 ? ` in attempt ${result.attempts}` : "";
  const summary = `exit status ${result.status} after ${result.seconds.toFixed(0)} s${times}`;
  return { ...counts, failed, log: failed === 0 ? summary : `${logOf(result)}\n${summary}` };
}

function logOf(record: VmRecord): string {
  const consoleTail = `--- end of the console ---\n${tail(record.console, 30)}`;
  const splats = record.splats.map((splat) => `splat: ${splat}`);
  return [failedTests(`${record.stdout}${record.stderr}`), ...splats, consoleTail].join("\n");
}

function explain(error: unknown): string {
  if (error instanceof VmLostError) return `the VM was lost ${error.record.attempts} times: ${error.message}`;
  if (error instanceof VmTimeoutError) return `${error.message}\n${logOf(error.record)}`;
  return error instanceof Error ? error.message : String(error);
}

async function harness(kernel: KernelName): Promise<Counts & { log: string }> {
  using results = temporaryDirectory();
  const junit = join(results.path, "junit.xml");
  const child = Bun.spawn(
    [process.execPath, "test", "./test/vm", "--timeout=180000", "--reporter=junit", `--reporter-outfile=${junit}`],
    {
      cwd: repository,
      env: { ...process.env, BPFINK_KERNEL: kernel },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const counts = readJunit(existsSync(junit) ? readFileSync(junit, "utf8") : "", status);
  return { ...counts, log: counts.failed === 0 ? "" : failedTests(stdout + stderr) };
}

/** Runs `work` on every item, at most `limit` at a time; results in the items' order. */
export async function pool<T, R>(limit: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

/** MiB that can be had without swapping. */
function availableMemory(): number {
  const kibibytes = /^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Number(kibibytes ?? 0) / 1024;
}

function lineSplitter(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let partial = "";
  return (chunk) => {
    const lines = (partial + decoder.decode(chunk, { stream: true })).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}
