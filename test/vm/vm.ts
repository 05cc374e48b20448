import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory, undoOnExit } from "./cleanup.ts";
import { cpio, directory, executable, file } from "./cpio.ts";
import { filesDisk, type FilesDisk } from "./files.ts";
import type { Kernel } from "./kernels.ts";
import { controlPort, streamPort } from "./ports.ts";
import { qemuCommand } from "./qemu.ts";
import { ensureRootfs } from "./rootfs.ts";
import { findSplats } from "./splats.ts";

export interface VmOptions {
  /** Files and directories to bring in: guest path → host path. Each is a mount of its own in the guest. */
  files?: Record<string, string>;
  /** Host directory (made when missing) that receives what the command left in the guest's /out. */
  out?: string;
  environment?: Record<string, string>;
  /** Working directory of the command in the guest; default /root. */
  directory?: string;
  /** MiB; default 2048. */
  memory?: number;
  /** Default 2. */
  cpus?: number;
  /**
   * Whether the guest's clock goes on by a nanosecond with each instruction that a processor executes (QEMU's icount):
   * times measured in the guest are counts of instructions, and do not depend on the host's load. Default false.
   */
  isCounted?: boolean;
  /** For the command, in ms, booting not included; default 10 minutes. */
  timeout?: number;
  /** From starting QEMU to the command, in ms; default 2 minutes. A guest that takes longer is lost. */
  bootTimeout?: number;
  /** How long the guest may say nothing before it counts as lost, in ms. Default: 120,000. */
  silence?: number;
  /** Added to the kernel command line, e.g. `preempt=full`. */
  append?: string;
  /** Kernel modules loaded before the command, so that /proc/filesystems has them; default overlay, xfs, btrfs, loop. */
  modules?: string[];
  /** Sizes in MiB of empty disks; the command finds their devices in $BPFINK_SCRATCH, separated by spaces. */
  scratch?: number[];
  /** How often a VM is started before it is given up for lost; default 3. */
  attempts?: number;
  /** Called with the command's output as it comes; after a lost VM the output starts again. */
  onStdout?: (chunk: Uint8Array) => void;
  onStderr?: (chunk: Uint8Array) => void;
}

/** What is known of a VM, whether its command came to its end or not. */
export interface VmRecord {
  stdout: string;
  stderr: string;
  console: string;
  /** Empty when the VM did not get to the command's end. */
  dmesg: string;
  /** Also those of an earlier attempt that was lost after the command had started: a retry must not hide them. */
  splats: string[];
  /** From starting QEMU to its end, in the last attempt. */
  seconds: number;
  attempts: number;
}

export interface VmResult extends VmRecord {
  /** The command's exit status; 128 + N when signal N killed it, 127 when it was not found. */
  status: number;
}

/** The VM ended, or went silent, before it could tell the command's exit status: this says nothing of the command. */
export class VmLostError extends Error {
  override name = "VmLostError";
  constructor(
    reason: string,
    /** Whether the command had been started. */
    readonly started: boolean,
    readonly record: VmRecord,
  ) {
    super(`${reason}\n${record.console.trim().split("\n").slice(-12).join("\n")}`);
  }
}

/** The command was still running when its time was over. */
export class VmTimeoutError extends Error {
  override name = "VmTimeoutError";
  constructor(
    milliseconds: number,
    readonly record: VmRecord,
  ) {
    super(`the command did not end within ${milliseconds / 1000} s`);
  }
}

/** For what follows the command: bringing back /out and the kernel log, in ms. */
const collectTimeout = 120_000;

/** A guest says something every 5 s. One that does not for so long, in ms, hangs. */
const SILENCE = 120_000;

/** The file systems that the tests use; without being loaded they would come with the first mount, 4 s later. */
const guestModules = ["overlay", "xfs", "btrfs", "loop"];

/**
 * Boots a kernel in QEMU and runs a command in it as root, its stdin empty.
 *
 * @throws VmLostError when every attempt lost its VM
 * @throws VmTimeoutError when the command takes longer than `timeout`; it is not tried again
 */
export async function runInVm(command: string[], kernel: Kernel, options: VmOptions = {}): Promise<VmResult> {
  const rootfs = await ensureRootfs();
  using files = options.files === undefined ? undefined : await filesDisk(options.files);
  const attempts = options.attempts ?? 3;
  const splats: string[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await boot(command, kernel, rootfs, files, attempt, options);
      return { ...result, splats: [...new Set([...splats, ...result.splats])] };
    } catch (error) {
      if (!(error instanceof VmLostError)) throw error;
      if (error.started) splats.push(...error.record.splats);
      process.stderr.write(`vm ${kernel.name}: lost in attempt ${attempt} of ${attempts}: ${error.message}\n`);
      if (attempt === attempts) throw error;
    }
  }
}

async function boot(
  command: string[],
  kernel: Kernel,
  rootfs: string,
  files: FilesDisk | undefined,
  attempts: number,
  options: VmOptions,
): Promise<VmResult> {
  const {
    memory = 2048,
    cpus = 2,
    isCounted = false,
    timeout = 600_000,
    bootTimeout = 120_000,
    silence = SILENCE,
    append = "",
    out,
  } = options;
  const started = performance.now();
  using scratch = temporaryDirectory();
  const here = scratch.path;
  const token = `end-of-stream-${crypto.randomUUID()}`;
  using control = controlPort(here);
  using stdout = streamPort("stdout", here, token, options.onStdout);
  using stderr = streamPort("stderr", here, token, options.onStderr);
  using archive = streamPort("out", here, token);
  using dmesg = streamPort("dmesg", here, token);
  const streams = [stdout, stderr, archive, dmesg];

  const scratchDisks = (options.scratch ?? []).map((size, index) => emptyFile(join(here, `scratch-${index}`), size));
  const disks = [rootfs, kernel.modules, ...(files === undefined ? [] : [files.image]), ...scratchDisks];
  const scratchDevices = scratchDisks.map((path) => `/dev/vd${String.fromCharCode(97 + disks.indexOf(path))}`);
  const environment = { ...options.environment, BPFINK_SCRATCH: scratchDevices.join(" ") };
  const initrd = join(here, "initrd");
  writeFileSync(initrd, readFileSync(kernel.initramfs));
  writeFileSync(
    initrd,
    jobArchive({
      token,
      files: files?.list ?? "",
      modules: (options.modules ?? guestModules).join("\n"),
      command: commandScript(command, environment, options.directory ?? "/root"),
    }),
    { flag: "a" },
  );

  const qemu = Bun.spawn(
    qemuCommand({ kernel, initrd, disks, ports: [control, ...streams], memory, cpus, isCounted, append }),
    // QEMU's snapshots are unlinked files in TMPDIR.
    { env: { ...process.env, TMPDIR: here }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  using _ = undoOnExit(() => qemu.kill("SIGKILL"));
  const consoleText = qemu.stdout.text();
  const complaints = qemu.stderr.text();
  const record = async (): Promise<VmRecord> => {
    qemu.kill("SIGKILL");
    const text = `${await consoleText}${await complaints}`.replaceAll("\r\n", "\n");
    const log = dmesg.bytes().toString();
    return {
      stdout: stdout.bytes().toString(),
      stderr: stderr.bytes().toString(),
      console: text,
      dmesg: log,
      splats: findSplats(log, text),
      seconds: (performance.now() - started) / 1000,
      attempts,
    };
  };
  const within = <T>(step: Promise<T>, milliseconds: number): Promise<T | "ended" | "late"> => {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), milliseconds);
    return Promise.race([step, qemu.exited.then(() => "ended" as const), late.promise]).finally(() =>
      clearTimeout(timer),
    );
  };

  const hello = await within(control.step("hello"), bootTimeout);
  if (hello === "ended") throw new VmLostError("QEMU ended before the command was started", false, await record());
  if (hello === "late") throw new VmLostError(`no hello within ${bootTimeout / 1000} s`, false, await record());
  const exited = await within(Promise.race([control.step("exited"), control.silence(silence)]), timeout);
  if (exited === "ended") throw new VmLostError("QEMU ended while the command ran", true, await record());
  if (exited === "silent")
    throw new VmLostError(`silent for ${silence / 1000} s while the command ran`, true, await record());
  if (exited === "late") throw new VmTimeoutError(timeout, await record());
  const complete = await within(
    Promise.all([control.step("done"), ...streams.map((stream) => stream.complete)]),
    collectTimeout,
  );
  if (complete === "ended") throw new VmLostError("QEMU ended after the command", true, await record());
  if (complete === "late")
    throw new VmLostError(`not collected within ${collectTimeout / 1000} s`, true, await record());
  if (out !== undefined) await unpack(archive.bytes(), out);
  return { status: Number(exited), ...(await record()) };
}

/** The part of the initramfs that is this VM's own. */
function jobArchive(texts: Record<"token" | "files" | "modules" | "command", string>): Buffer {
  const guest = (name: string): Buffer => readFileSync(join(import.meta.dir, "guest", name));
  return cpio([
    executable("init", guest("initramfs.sh")),
    directory("vm"),
    executable("vm/init", guest("init.sh")),
    file("vm/fstab", guest("fstab")),
    ...Object.entries(texts).map(([name, text]) => file(`vm/${name}`, text)),
  ]);
}

/** A shell script that becomes the command, with the environment of a root log-in and the caller's on top. */
export function commandScript(command: string[], environment: Record<string, string>, cwd: string): string {
  const variables: Record<string, string> = {
    HOME: "/root",
    USER: "root",
    LOGNAME: "root",
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    TERM: "dumb",
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...environment,
  };
  const assignments = Object.entries(variables).map(([name, value]) => quote(`${name}=${value}`));
  return `cd ${quote(cwd)} && exec env -i ${assignments.join(" ")} ${command.map(quote).join(" ")}\n`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function emptyFile(path: string, mebibytes: number): string {
  closeSync(openSync(path, "w"));
  truncateSync(path, mebibytes * 1024 * 1024);
  return path;
}

async function unpack(archive: Buffer, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const tar = Bun.spawn(["tar", "--extract", "--no-same-owner", "--directory", target], {
    stdin: archive,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await tar.exited) !== 0) throw new Error(`cannot unpack what the VM brought back into ${target}`);
}
