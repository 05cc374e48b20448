// All tests, in the order in which a failure is cheapest to learn. `node build/test.mjs` sets up and starts this.
// A stage that passes is one line on stderr, one that fails is shown whole; stdout is "N passed, N failed".

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counts, readJunit } from "../build/junit.mjs";
import { BUN, EXECUTABLE, EXIT_CANNOT_WATCH, ROOT, SetupError } from "../build/project.mjs";
import { runVmSuites } from "./vm/suite.ts";
import { parseTestOptions, type Stage } from "../build/test-options.mjs";

/** What a stage found, and what it printed, to be shown if something failed. */
interface Outcome extends Counts {
  name: string;
  /** Default: the stage's. */
  seconds?: number;
  log: string;
}

const stages: Record<Stage, (machines: readonly string[]) => Promise<Outcome[]>> = {
  check: async () => [await typeCheck()],
  unit: async () => [await bunTest("unit", ["./test/unit"], 20_000)],
  // test/native: end to end as well, but of what is the same on every kernel
  native: async () => [await bunTest("native", ["./test/e2e", "./test/native"], 60_000)],
  vm: vmSuites,
};

process.exit(await main());

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error("bpfink: the tests need root, for eBPF: run npm test as root, or with sudo");
    return EXIT_CANNOT_WATCH;
  }
  const options = parseTestOptions(process.argv.slice(2));
  const total = { passed: 0, failed: 0 };
  for (const stage of options.stages) {
    const start = performance.now();
    const outcomes = await stages[stage](options.machines).catch((error) => [crashed(stage, error)]);
    for (const outcome of outcomes) {
      report(outcome, outcome.seconds ?? (performance.now() - start) / 1000);
      total.passed += outcome.passed;
      total.failed += outcome.failed;
    }
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** The types of everything; one failure if they do not fit, no passed test if they do. */
async function typeCheck(): Promise<Outcome> {
  const { status, output } = await runBun(["check", "--no-script", "--no-pretty"]);
  return { name: "check", passed: 0, failed: status === 0 ? 0 : 1, skipped: 0, log: output };
}

/** Directories of `bun test` files, each file in a process that it may share with others, two at a time: most wait. */
async function bunTest(name: string, directories: string[], timeout: number): Promise<Outcome> {
  const work = mkdtempSync(join(tmpdir(), "bpfink-test-"));
  try {
    const junit = join(work, "junit.xml");
    const { status, output } = await runBun([
      "test",
      ...directories,
      `--timeout=${timeout}`,
      "--parallel=2",
      "--reporter=junit",
      `--reporter-outfile=${junit}`,
    ]);
    const counts = readJunit(existsSync(junit) ? readFileSync(junit, "utf8") : "", status);
    return { name, ...counts, log: output };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The tests that run in virtual machines; a missing suite is an error, not a skip. */
async function vmSuites(machines: readonly string[]): Promise<Outcome[]> {
  const suites = await runVmSuites({ binary: EXECUTABLE, kernels: machines });
  if (suites.length === 0) throw new SetupError("no virtual machine ran");
  return suites.map((suite) => {
    const ranNone = suite.passed + suite.failed === 0;
    return { ...suite, name: `vm ${suite.name}`, failed: ranNone ? 1 : suite.failed, skipped: 0 };
  });
}

async function runBun(args: string[]): Promise<{ status: number; output: string }> {
  const child = Bun.spawn([BUN, ...args], {
    cwd: ROOT,
    env: { ...process.env, BPFINK: EXECUTABLE },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { status, output: out + err };
}

function crashed(name: string, error: unknown): Outcome {
  const log = error instanceof SetupError ? error.message : Bun.inspect(error);
  return { name, passed: 0, failed: 1, skipped: 0, log };
}

function report({ name, passed, failed, skipped, log }: Outcome, seconds: number): void {
  if (failed > 0) console.error(log.trimEnd());
  const leftOut = skipped > 0 ? `, ${skipped} skipped` : "";
  console.error(`${name}: ${passed} passed, ${failed} failed${leftOut} (${seconds.toFixed(1)} s)`);
}
