import { closeSync, openSync } from "node:fs";
import { type Statx, statx } from "./libc.ts";

/** Inode number of the PID namespace that the kernel starts with (linux/proc_ns.h: PROC_PID_INIT_INO). */
const INITIAL = 0xefff_fffcn;

/** Our PID namespace, as the kernel compares it (bpf-helpers(7), bpf_get_ns_current_pid_tgid). */
export function pidNamespace(): { readonly device: number; readonly inode: bigint } {
  const { deviceMajor, deviceMinor, inode } = namespace("pid");
  return { device: (deviceMajor << 20) | deviceMinor, inode };
}

/** Inode number of our mount namespace, as a KernelEvent has it. */
export const mountNamespace = (): number => Number(namespace("mnt").inode);

function namespace(name: "pid" | "mnt"): Statx {
  const fd = openSync(`/proc/self/ns/${name}`, "r");
  try {
    return statx(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether process ids that BPF programs see are those that /proc and fanotify have here. */
export const hasHostsPids = (): boolean => pidNamespace().inode === INITIAL;
