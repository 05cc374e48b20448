import { closeSync, openSync } from "node:fs";
import { statx } from "./libc.ts";

/** Inode number of the PID namespace that the kernel starts with (linux/proc_ns.h: PROC_PID_INIT_INO). */
const INITIAL = 0xefff_fffcn;

/** Our PID namespace, as the kernel compares it (bpf-helpers(7), bpf_get_ns_current_pid_tgid). */
export function pidNamespace(): { readonly device: number; readonly inode: bigint } {
  const fd = openSync("/proc/self/ns/pid", "r");
  try {
    const { deviceMajor, deviceMinor, inode } = statx(fd);
    return { device: (deviceMajor << 20) | deviceMinor, inode };
  } finally {
    closeSync(fd);
  }
}

/** Whether process ids that BPF programs see are those that /proc and fanotify have here. */
export const hasHostsPids = (): boolean => pidNamespace().inode === INITIAL;
