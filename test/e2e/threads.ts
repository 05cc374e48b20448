// What a debugger does to another process: holds a thread of it, takes its file descriptors.
import { dlopen, ptr } from "bun:ffi";
import { closeSync, readdirSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";

// x86-64's numbers, asm/unistd_64.h
const WAIT4 = 61;
const PTRACE = 101;
const FANOTIFY_MARK = 301;
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

/** ptrace(2)'s requests, and what wait4(2) needs for threads of others. */
const [SEIZE, INTERRUPT, DETACH, SINGLESTEP, GETREGS, SETREGS, WALL] = [0x4206, 0x4207, 17, 9, 12, 13, 0x40000000];
/** struct user_regs_struct: places in it. */
const REGISTERS = { size: 27, rax: 10, rdi: 14, original: 15, rip: 16 };

/** ptrace(2) stops one thread, where SIGSTOP would stop all. The function returned lets it go on. */
export function hold(tid: number): () => void {
  system(PTRACE, SEIZE, tid);
  system(PTRACE, INTERRUPT, tid);
  system(WAIT4, tid, 0, WALL);
  return () => void system(PTRACE, DETACH, tid);
}

/** Has a process close file descriptors of its own, and know nothing of it. */
export function closeIn(pid: number, fds: readonly number[]): void {
  const CLOSE = 3n;
  const letGo = hold(pid);
  const before = new BigUint64Array(REGISTERS.size);
  system(PTRACE, GETREGS, pid, 0, before);
  const { original, rax, rdi, rip } = REGISTERS;
  for (const fd of fds) {
    const registers = before.slice();
    registers[original] = 2n ** 64n - 1n; // it is in no system call that could be begun again
    registers[rax] = CLOSE;
    registers[rdi] = BigInt(fd);
    registers[rip] = syscallIn(pid);
    system(PTRACE, SETREGS, pid, 0, registers);
    system(PTRACE, SINGLESTEP, pid);
    system(WAIT4, pid, 0, WALL);
    system(PTRACE, GETREGS, pid, 0, registers);
    if (registers[rax] !== 0n) throw new Error(`close ${fd}: ${registers[rax]}`);
  }
  system(PTRACE, SETREGS, pid, 0, before);
  letGo();
}

/** Where a process has an instruction that enters the kernel. */
function syscallIn(pid: number): bigint {
  const vdso = readFileSync(`/proc/${pid}/maps`, "utf8").match(/^(\w+)-(\w+) r-xp .*\[vdso\]$/m);
  const [begin, end] = [Number.parseInt(vdso![1]!, 16), Number.parseInt(vdso![2]!, 16)];
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    const code = Buffer.alloc(end - begin);
    readSync(memory, code, 0, code.length, begin);
    const at = code.indexOf(Buffer.of(0x0f, 0x05));
    if (at < 0) throw new Error("no system call in the vDSO");
    return BigInt(begin + at);
  } finally {
    closeSync(memory);
  }
}

/** File descriptors of a process, by what they are of. */
export function fdsOf(pid: number, pattern: RegExp): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => pattern.test(readlinkSync(`/proc/${pid}/fd/${fd}`)))
    .map(Number);
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

/** Takes away all marks of a process that uses fanotify; undefined: it does not. */
export function takeMarks(pid: number): true | undefined {
  const FLUSH = 0x80;
  const [fanotify] = fdsOf(pid, /^anon_inode:\[fanotify\]$/);
  if (fanotify === undefined) return undefined;
  const ours = takeFd(pid, fanotify);
  system(FANOTIFY_MARK, ours, FLUSH);
  closeSync(ours);
  return true;
}
