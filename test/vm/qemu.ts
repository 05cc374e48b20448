import type { Kernel } from "./kernels.ts";
import type { Port } from "./ports.ts";

/** What a VM is made of; sizes in MiB. */
export interface Machine {
  kernel: Kernel;
  initrd: string;
  /** Disks in order (vda, vdb, …); what is written to them is thrown away. */
  disks: string[];
  ports: Port[];
  memory: number;
  cpus: number;
  /** See VmOptions. */
  isCounted: boolean;
  /** Added to the kernel command line, and wins over it. */
  append: string;
}

/**
 * The kernel command line. TCG is an emulator on a busy machine: a vCPU may stand still for seconds, so every
 * detector that judges by time is off (the others are on), and what only costs time there is off too.
 */
const commandLine = [
  "console=ttyS0",
  "panic=-1",
  "loglevel=5",
  "log_buf_len=4M",
  "printk.devkmsg=on",
  "random.trust_cpu=on",
  "mitigations=off",
  "cryptomgr.notests",
  // with X86_FEATURE_REP_GOOD, ERMS and FSRM (off below) the kernel copies by `rep`, of which TCG makes a loop
  "clearcpuid=112",
  "nokaslr",
  "no5lvl",
  "nowatchdog",
  "tsc=nowatchdog",
  "rcupdate.rcu_cpu_stall_suppress=1",
  "rcupdate.rcu_expedited=1", // each of thirty hooks waits for a grace period when it is detached
  "workqueue.watchdog_thresh=0",
];

/** The command line of QEMU; the guest's console comes out of its stdout. */
export function qemuCommand({ kernel, initrd, disks, ports, memory, cpus, isCounted, append }: Machine): string[] {
  return [
    // The kernel ends QEMU when the harness dies, even of SIGKILL.
    "setpriv",
    "--pdeathsig=KILL",
    "qemu-system-x86_64",
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    ...["-display", "none"],
    ...["-nic", "none"],
    ...(isCounted ? ["-accel", "tcg,thread=single", "-icount", "shift=0"] : ["-accel", "tcg,thread=multi"]),
    ...["-cpu", "max,-erms,-fsrm"],
    ...["-m", `${memory}`],
    ...["-smp", `${cpus}`],
    ...["-kernel", kernel.vmlinuz],
    ...["-initrd", initrd],
    ...["-append", [...commandLine, append].join(" ").trim()],
    ...["-chardev", "stdio,id=console,signal=off"],
    ...["-serial", "chardev:console"],
    ...disks.flatMap((path) => ["-drive", `file=${path},format=raw,if=virtio,snapshot=on,cache=unsafe`]),
    ...["-device", "virtio-serial-pci"],
    ...ports.flatMap(({ name, socket }) => [
      ...["-chardev", `socket,id=${name},path=${socket}`],
      ...["-device", `virtserialport,chardev=${name},name=${name}`],
    ]),
  ];
}
