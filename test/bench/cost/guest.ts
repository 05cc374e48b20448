// In the guest: runs the program under each monitor in turn, round after round, so that what changes with time changes
// for all. Prints a line of JSON: by monitor and case, the median of nanoseconds a call.
import { mkdirSync } from "node:fs";
import { Bpfink } from "../../e2e/bpfink.ts";
import { TemporaryDirectory } from "../../e2e/files.ts";
import { run } from "../../e2e/process.ts";

const [program = "", auditctl = ""] = process.argv.slice(2);
const ROUNDS = 3;
/** System calls in one measurement, and measurements of which the program takes the median. */
const CALLS = ["2000", "15"];

using tmpfs = new TemporaryDirectory("/dev/shm");
mkdirSync("/root/cost", { recursive: true });
const samples: Record<string, Record<string, number[]>> = {};

async function measure(monitor: string): Promise<void> {
  const { stdout } = await run(program, tmpfs.path, "/root/cost", ...CALLS);
  for (const line of stdout.trim().split("\n")) {
    const [kind, where, size, time] = line.split(" ");
    const name = `${kind} ${where} ${size}`;
    ((samples[monitor] ??= {})[name] ??= []).push(Number(time));
  }
}

async function measureUnder(backend: string): Promise<void> {
  await using bp = await Bpfink.start({ watch: ["/etc/passwd", "/etc/ssh"], args: ["--backend", backend] });
  await bp.noMoreLines();
  await measure(backend);
}

await measure("warm-up");
for (let round = 0; round < ROUNDS; round++) {
  await measure("none");
  await measureUnder("ebpf/fentry");
  await measureUnder("ebpf/kprobe");
}
// last, because the kernel goes on looking at every system call once auditing was on (audit_ever_enabled)
if (auditctl !== "") {
  await run(auditctl, "-e", "1");
  await run(auditctl, "-w", "/etc/passwd", "-p", "wa");
  await run(auditctl, "-w", "/etc/ssh", "-p", "wa");
  for (let round = 0; round < ROUNDS; round++) await measure("audit");
}
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const { "warm-up": _, ...measured } = samples;
const result = Object.fromEntries(
  Object.entries(measured).map(([monitor, cases]) => [
    monitor,
    Object.fromEntries(Object.entries(cases).map(([name, values]) => [name, median(values)])),
  ]),
);
console.log(JSON.stringify(result));
