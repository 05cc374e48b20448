// npm run test:matrix [-- --vm NAME]... [--only-docs]: tries every technique on every file system, on this machine and
// on every kernel in each attach form, and writes docs/coverage.md and the README's summary out of what came of it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureKernel, isKernelName, type KernelName, kernelNames } from "../vm/kernels.ts";
import { guestDirectory, guestEnvironment, guestFiles, repository } from "../vm/layout.ts";
import { pool, scratch } from "../vm/suite.ts";
import { runInVm } from "../vm/vm.ts";
import { coveragePage, readmeTable } from "./page.ts";
import type { Result } from "./matrix.ts";

const RESULTS = join(repository, "dist/matrix");
const FORMS = ["ebpf/fentry", "ebpf/kprobe", "fanotify"];
/**
 * The guest's root is a tmpfs, which fanotify gives no file handles of before Linux 5.13, 59cda49ecf6c ("shmem: allow
 * reporting fanotify events with file handles on tmpfs").
 */
const WITHOUT_FANOTIFY: readonly KernelName[] = ["5.10"];

/** For one kernel and backend, in ms. */
const TIMEOUT = 15 * 60_000;

/** Virtual machines at a time. */
const PARALLEL = 2;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    vm: { type: "string", multiple: true },
    backend: { type: "string", multiple: true },
    "only-docs": { type: "boolean", default: false },
  },
});

if (!values["only-docs"]) {
  mkdirSync(RESULTS, { recursive: true });
  if (values.vm === undefined) await here();
  const names = (values.vm ?? kernelNames).filter(isKernelName);
  const runs = names.flatMap((name) => (values.backend ?? FORMS).map((backend) => ({ name, backend })));
  const failures = await pool(
    PARALLEL,
    runs.filter(({ name, backend }) => canRun(name, backend)),
    ({ name, backend }) =>
      inVm(name, backend).then(
        () => [],
        (error: unknown) => [error],
      ), // what others took long to find is kept
  );
  writeDocuments();
  for (const error of failures.flat()) console.error(error);
  process.exitCode = failures.flat().length === 0 ? 0 : 1;
} else {
  writeDocuments();
}

function canRun(name: KernelName, backend: string): boolean {
  return backend !== "fanotify" || !WITHOUT_FANOTIFY.includes(name);
}

async function here(): Promise<void> {
  const file = join(RESULTS, "here-auto.json");
  const child = Bun.spawn([process.execPath, "test/techniques/matrix.ts", "auto", file], {
    cwd: repository,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error("the matrix failed on this machine");
}

async function inVm(name: KernelName, backend: string): Promise<void> {
  const run = `${name}-${backend.replace("/", "-")}`;
  const out = join(RESULTS, `out-${run}`);
  const result = await runInVm(
    ["bun", "test/techniques/matrix.ts", backend, "/out/result.json"],
    await ensureKernel(name),
    {
      files: guestFiles(process.env["BPFINK"] ?? join(repository, "dist/bpfink")),
      // all techniques at once are much for an emulated machine with a neighbour
      environment: {
        ...guestEnvironment(name),
        BPFINK_EXPECT_BACKEND: backend,
        BPFINK_PATIENCE: String(TIMEOUT / 3),
      },
      directory: guestDirectory,
      out,
      scratch,
      timeout: TIMEOUT,
      onStdout: (chunk) => process.stdout.write(chunk),
    },
  );
  if (result.status !== 0)
    throw new Error(`the matrix failed on ${name}, ${backend}:\n${result.stdout}${result.stderr}`);
  const text = readFileSync(join(out, "result.json"), "utf8");
  writeFileSync(join(RESULTS, `${run}.json`), text);
}

function writeDocuments(): void {
  const files = readdirSync(RESULTS).filter((name) => name.endsWith(".json"));
  const results = files.map((name) => JSON.parse(readFileSync(join(RESULTS, name), "utf8")) as Result);
  writeFileSync(join(repository, "docs/coverage.md"), coveragePage(results));
  const readme = join(repository, "README.md");
  const markers = /(<!-- coverage: begin[^\n]*-->\n)[^]*?(<!-- coverage: end -->)/;
  const text = readFileSync(readme, "utf8");
  if (!markers.test(text)) throw new Error("README.md has no place for the summary");
  writeFileSync(
    readme,
    text.replace(markers, (_, begin, end) => `${begin}${readmeTable(results)}${end}`),
  );
}
