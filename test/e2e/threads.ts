// What a debugger does to another process: holds a thread of it, takes its file descriptors.
import { dlopen, ptr } from "bun:ffi";
import { closeSync, readdirSync, readFileSync } from "node:fs";

// x86-64's numbers, asm/unistd_64.h
const WAIT4 = 61;
const PTRACE = 101;
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

const { symbols: c } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
});

/** A system call by its number; what is no number is memory. Throws where it returns -1. */
export function system(number: number, ...args: readonly (number | NodeJS.TypedArray)[]): number {
  const word = (i: number) => {
    const arg = args[i] ?? 0;
    return typeof arg === "number" ? arg : ptr(arg);
  };
  const result = Number(c.syscall(number, word(0), word(1), word(2), word(3), word(4)));
  if (result < 0) throw new Error(`system call ${number}: failed`);
  return result;
}

/** ptrace(2) stops one thread, where SIGSTOP would stop all. The function returned lets it go on. */
export function hold(tid: number): () => void {
  const [SEIZE, INTERRUPT, DETACH, WALL] = [0x4206, 0x4207, 17, 0x40000000];
  system(PTRACE, SEIZE, tid);
  system(PTRACE, INTERRUPT, tid);
  system(WAIT4, tid, 0, WALL);
  return () => void system(PTRACE, DETACH, tid);
}

/**
 * Has a thread that waits in a system call close file descriptors of its process, as `call close(3)` in a debugger; it
 * goes on waiting then. For what the kernel ends only when its owner closes it: links of BPF programs.
 */
export function closeIn(tid: number, fds: readonly number[]): void {
  const [SEIZE, INTERRUPT, DETACH, GETREGS, SETREGS, SINGLESTEP, WALL] = [0x4206, 0x4207, 17, 12, 13, 9, 0x40000000];
  const [CLOSE, NO_CALL] = [3n, 2n ** 64n - 1n];
  system(PTRACE, SEIZE, tid);
  system(PTRACE, INTERRUPT, tid);
  system(WAIT4, tid, 0, WALL);
  const before = new BigUint64Array(27); // struct user_regs_struct, <sys/user.h>
  system(PTRACE, GETREGS, tid, 0, before);
  for (const fd of fds) {
    const call = before.slice();
    [call[10], call[14], call[15]] = [CLOSE, BigInt(fd), NO_CALL]; // rax, rdi, orig_rax
    call[16] = before[16]! - 2n; // rip: back to the instruction `syscall`
    system(PTRACE, SETREGS, tid, 0, call);
    system(PTRACE, SINGLESTEP, tid);
    system(WAIT4, tid, 0, WALL);
  }
  system(PTRACE, SETREGS, tid, 0, before);
  system(PTRACE, DETACH, tid);
}

/** The state of each thread of a process, a letter as in proc_pid_stat(5). */
export function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "latin1");
      return [stat.charAt(stat.lastIndexOf(")") + 2)];
    } catch {
      return []; // it ended since
    }
  });
}

/** A duplicate of another process's file descriptor. The caller closes it. */
export function takeFd(pid: number, fd: number): number {
  const pidfd = system(PIDFD_OPEN, pid);
  try {
    return system(PIDFD_GETFD, pidfd, fd);
  } finally {
    closeSync(pidfd);
  }
}
