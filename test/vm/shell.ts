// Runs a command in a VM, with dist/bpfink (when it has been built) and test/ brought in:
//
//     bun test/vm/shell.ts [--append "preempt=full"] [--file HOST:GUEST]... [--out DIR] [--timeout SECONDS]
//                          [--memory MIB] [--cpus N] [--counted] [--scratch MIB]... [--dmesg] [--console] [--refresh] KERNEL [--] COMMAND [ARG]...
//
// KERNEL is a name out of kernels.ts. The exit status is the command's; 124 its timeout, 125 a lost VM.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureKernel, isKernelName, kernelNames } from "./kernels.ts";
import { guestDirectory, guestEnvironment, guestFiles, repository } from "./layout.ts";
import { runInVm, VmLostError, VmTimeoutError } from "./vm.ts";

const argv = process.argv.slice(2);
const kernelAt = argv.findIndex(isKernelName);
const name = argv[kernelAt];
const command = argv.slice(kernelAt + 1);
if (command[0] === "--") command.shift();
if (name === undefined || !isKernelName(name) || command.length === 0) {
  process.stderr.write(`usage: bun test/vm/shell.ts [OPTION]... ${kernelNames.join("|")} [--] COMMAND [ARG]...\n`);
  process.exit(2);
}
const { values } = parseArgs({
  args: argv.slice(0, kernelAt),
  options: {
    append: { type: "string" },
    file: { type: "string", multiple: true, default: [] },
    out: { type: "string" },
    timeout: { type: "string", default: "3600" },
    memory: { type: "string" },
    cpus: { type: "string" },
    counted: { type: "boolean", default: false },
    scratch: { type: "string", multiple: true, default: [] },
    dmesg: { type: "boolean" },
    console: { type: "boolean" },
    refresh: { type: "boolean" },
  },
});

const dist = join(repository, "dist/bpfink");
const files = guestFiles(existsSync(dist) ? dist : undefined);
for (const pair of values.file) {
  const [host = "", guest = resolve(host)] = pair.split(":");
  files[guest] = resolve(host);
}

try {
  const result = await runInVm(command, await ensureKernel(name, { refresh: values.refresh === true }), {
    files,
    environment: guestEnvironment(name),
    directory: guestDirectory,
    timeout: Number(values.timeout) * 1000,
    scratch: values.scratch.map(Number),
    isCounted: values.counted,
    ...(values.append === undefined ? {} : { append: values.append }),
    ...(values.out === undefined ? {} : { out: values.out }),
    ...(values.memory === undefined ? {} : { memory: Number(values.memory) }),
    ...(values.cpus === undefined ? {} : { cpus: Number(values.cpus) }),
    onStdout: (chunk) => process.stdout.write(chunk),
    onStderr: (chunk) => process.stderr.write(chunk),
  });
  if (values.dmesg === true) process.stderr.write(result.dmesg);
  if (values.console === true) process.stderr.write(result.console);
  for (const splat of result.splats) process.stderr.write(`splat: ${splat}\n`);
  process.stderr.write(`vm ${name}: status ${result.status} in ${result.seconds.toFixed(1)} s\n`);
  process.exitCode = result.status;
} catch (error) {
  if (!(error instanceof VmTimeoutError || error instanceof VmLostError)) throw error;
  process.stderr.write(`vm ${name}: ${error.message}\n`);
  process.exitCode = error instanceof VmTimeoutError ? 124 : 125;
}
