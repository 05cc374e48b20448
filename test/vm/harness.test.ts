// The harness tested with real boots: what it reports must not depend on luck. `bun test test/vm`; $BPFINK_KERNEL chooses.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureKernel, isKernelName, type Kernel } from "./kernels.ts";
import { runInVm, VmLostError, type VmOptions, type VmResult, VmTimeoutError } from "./vm.ts";

const minutes = 60_000;
const name = process.env["BPFINK_KERNEL"] ?? "6.1";
const work = mkdtempSync(join(tmpdir(), "bpfink-harness-"));
let kernel: Kernel;

beforeAll(async () => {
  if (!isKernelName(name)) throw new Error(`no kernel ${name}`);
  kernel = await ensureKernel(name);
}, 10 * minutes);

afterAll(() => rmSync(work, { recursive: true }));

function shell(script: string, options: VmOptions = {}): Promise<VmResult> {
  return runInVm(["sh", "-c", script], kernel, { modules: [], memory: 1024, ...options });
}

test(
  "status, streams and files come back, environment and files go in",
  async () => {
    const source = join(work, "source");
    const out = join(work, "out");
    writeFileSync(source, "brought in\n");
    const result = await shell(
      `set -e
      cat /opt/it's/source
      echo "$WORD" >&2
      sleep 1000 & # holds the streams open after the command has ended
      mkdir /out/deep
      head -c 3000000 /dev/zero >/out/deep/zeros
      test -b "$BPFINK_SCRATCH"
      uname -r >/out/release
      exit 7`.replace("it's", `"it's"`),
      { files: { "/opt/it's/source": source }, out, environment: { WORD: "it's $WORD" }, scratch: [64] },
    );
    expect({ status: result.status, stdout: result.stdout, stderr: result.stderr, splats: result.splats }).toEqual({
      status: 7,
      stdout: "brought in\n",
      stderr: "it's $WORD\n",
      splats: [],
    });
    expect(readFileSync(join(out, "release"), "utf8")).toBe(`${kernel.release}\n`);
    expect(readFileSync(join(out, "deep/zeros")).equals(Buffer.alloc(3_000_000))).toBe(true);
    expect(result.dmesg).toContain(kernel.release);
  },
  3 * minutes,
);

test(
  "a guest that is gone before the status is lost, after every attempt; its splat is known",
  async () => {
    const lost = await shell("echo before; echo c >/proc/sysrq-trigger", { attempts: 2 }).catch(
      (error: unknown) => error,
    );
    if (!(lost instanceof VmLostError)) throw lost;
    expect(lost.record.attempts).toBe(2);
    expect(lost.started).toBe(true);
    expect(lost.record.splats.join("\n")).toContain("Kernel panic - not syncing: sysrq triggered crash");
  },
  3 * minutes,
);

test(
  "a command that hangs is timed out, not lost",
  async () => {
    const late = await shell("echo hanging; sleep 1000", { timeout: 2000 }).catch((error: unknown) => error);
    if (!(late instanceof VmTimeoutError)) throw late;
    expect(late.record.stdout).toBe("hanging\n");
  },
  2 * minutes,
);

test(
  "a guest that says nothing any more is lost, not timed out",
  async () => {
    const script = 'for process in $(pgrep -P 1); do [ "$process" = $$ ] || kill -STOP "$process"; done; sleep 1000';
    const lost = await shell(script, { silence: 15_000, attempts: 1 }).catch((error: unknown) => error);
    if (!(lost instanceof VmLostError)) throw lost;
    expect(lost.message).toStartWith("silent for 15 s while the command ran");
  },
  2 * minutes,
);

test("nothing is left of the machines", () => {
  expect(readdirSync(tmpdir()).filter((entry) => entry.startsWith(`bpfink-vm-${process.pid}-`))).toEqual([]);
});
