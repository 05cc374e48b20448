// npm run bench: what watching costs those who write to files that nobody watches, measured in one boot of a VM;
// writes docs/cost.md.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildProgram } from "../../programs/build.ts";
import { privateApt } from "../../vm/apt.ts";
import { temporaryDirectory } from "../../vm/cleanup.ts";
import { exec } from "../../vm/exec.ts";
import { ensureKernel } from "../../vm/kernels.ts";
import { guestDirectory, guestEnvironment, guestFiles, repository } from "../../vm/layout.ts";
import { runInVm } from "../../vm/vm.ts";

type Measured = Readonly<Record<string, Readonly<Record<string, number>>>>;

const KERNEL = "6.12";
/** Debian's, of the guest's suite. */
const SUITE = "bookworm";
const AUDIT = /^(auditd|libauparse0|libaudit1|libcap-ng0)$/;

using scratch = temporaryDirectory();
const audit = await unpackAudit(join(scratch.path, "audit"));
const kernel = await ensureKernel(KERNEL);
const result = await runInVm(["bun", "test/bench/cost/guest.ts", "/opt/cost", "/opt/auditctl"], kernel, {
  files: {
    ...guestFiles(join(repository, "dist/bpfink")),
    "/opt/cost": buildProgram("cost", import.meta.dir),
    "/opt/audit": audit.directory,
    "/opt/auditctl": audit.wrapper,
  },
  environment: guestEnvironment(KERNEL),
  directory: guestDirectory,
  timeout: 20 * 60_000,
  cpus: 1,
  isCounted: true,
  onStderr: (chunk) => process.stderr.write(chunk),
});
if (result.status !== 0) throw new Error(`the guest failed:\n${result.stdout}${result.stderr}`);
const measured = JSON.parse(result.stdout.trim().split("\n").at(-1)!) as Measured;
writeFileSync(join(repository, "docs/cost.md"), page(measured, kernel.release));
console.log(page(measured, kernel.release));

/** auditctl of Debian with its libraries, unpacked: the guest's image does not have it. */
async function unpackAudit(directory: string): Promise<{ directory: string; wrapper: string }> {
  mkdirSync(directory);
  const debs = join(scratch.path, "debs");
  mkdirSync(debs);
  const apt = await privateApt(SUITE);
  await apt.download(await apt.closure("auditd", AUDIT), debs);
  for (const deb of readdirSync(debs)) await exec(["dpkg-deb", "-x", join(debs, deb), directory]);
  const wrapper = join(scratch.path, "auditctl");
  const libraries = "/opt/audit/lib/x86_64-linux-gnu:/opt/audit/usr/lib/x86_64-linux-gnu";
  writeFileSync(wrapper, `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec /opt/audit/sbin/auditctl "$@"\n`, {
    mode: 0o755,
  });
  return { directory, wrapper };
}

function page(measured: Measured, release: string): string {
  const { none = {}, ...monitors } = measured;
  const names = Object.keys(monitors);
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rows = Object.entries(none).map(([name, time]) =>
    row([
      name.replace(/ 0$/, ""),
      time.toFixed(0),
      ...names.map((monitor) => (measured[monitor]![name]! / time).toFixed(2)),
    ]),
  );
  return `# What watching costs

Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}, Linux ${release}; not edited by hand.

Instructions that a processor executes in a system call on a file that nobody watches, relative to the same without any
monitor, medians of interleaved runs in one boot. They are counted in an emulated machine (QEMU's icount, where the clock
goes on by a nanosecond with each instruction), so they are the same whatever else the host does, and tell nothing of caches.

${row(["call, file system, bytes", "instructions without", ...names])}
${row(["---", "---", ...names.map(() => "---")])}
${rows.join("\n")}

The two of bpfink have all hooks attached (src/kernel/hooks.ts). \`audit\` is the kernel's, with Debian's auditctl and two
rules (\`-w /etc/passwd -p wa\`, \`-w /etc/ssh -p wa\`), without the daemon, which sleeps while nothing matches; it is
measured last, because the kernel does not wholly return to what it was before.
`;
}
