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
