import { dlopen } from "bun:ffi";
import { closeSync, openSync, readFileSync } from "node:fs";

/** <asm-generic/unistd.h>: one number on every architecture; glibc wraps them since 2.36. */
const SYS_fsopen = 430n;
const SYS_fsconfig = 431n;
const SYS_fsmount = 432n;
/** <linux/mount.h> */
const FSOPEN_CLOEXEC = 0x1;
const FSMOUNT_CLOEXEC = 0x1;
const FSCONFIG_CMD_CREATE = 6;

/** syscall(2), with a text, and with numbers only. */
const signatures = {
  fsopen: { args: ["i64" /* long number */, "ptr" /* const char *type */, "u32" /* flags */], returns: "i64" },
  numbers: { args: ["i64" /* long number */, "i32" /* int fd */, "u32", "u64", "u64", "u64"], returns: "i64" },
} as const;

/**
 * Opens a file in debugfs; undefined when the kernel shows none (no debugfs, locked down). It is mounted
 * for nobody but this call, at no path: most systems mount it, but not all should. The caller closes it.
 */
export function openDebugfs(path: string): number | undefined {
  const { symbols: byText } = dlopen("libc.so.6", { syscall: signatures.fsopen });
  const { symbols: byNumbers } = dlopen("libc.so.6", { syscall: signatures.numbers });
  const opened: number[] = [];
  const keep = (fd: bigint): number => {
    if (fd < 0n) throw new Error("refused");
    opened.push(Number(fd));
    return Number(fd);
  };
  try {
    const context = keep(byText.syscall(SYS_fsopen, Buffer.from("debugfs\0"), FSOPEN_CLOEXEC));
    if (byNumbers.syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0n, 0n, 0n) !== 0n) return undefined;
    const mount = keep(byNumbers.syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0n, 0n, 0n));
    return openSync(`/proc/self/fd/${mount}/${path}`, "r");
  } catch {
    return undefined;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** The text of a file in debugfs; undefined as above. */
export function readDebugfs(path: string): string | undefined {
  const fd = openDebugfs(path);
  if (fd === undefined) return undefined;
  try {
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}
