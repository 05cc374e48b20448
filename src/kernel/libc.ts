import { dlopen, type Pointer, read } from "bun:ffi";
import { closeSync, constants, writeSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { pathBytes } from "../paths.ts";
import { SystemError, hasCode } from "./errno.ts";
import { STATX_BASIC_STATS, STATX_MNT_ID, type Statx, decodeStatx } from "./statx.ts";

export type { FileType, Statx } from "./statx.ts";

/**
 * System calls that Bun does not offer, through glibc's own wrappers. The newest of them are
 * memfd_create (glibc 2.27) and statx (2.28), both older than any distribution with Linux 5.9.
 * Memory passes as typed arrays, which bun:ffi pins for the length of the call; the kernel keeps no
 * pointer after any of these calls.
 */
const { symbols: c } = dlopen("libc.so.6", {
  __errno_location: { args: [], returns: "ptr" },
  memfd_create: { args: ["ptr" /* const char *name */, "u32" /* unsigned flags */], returns: "i32" },
  openat: { args: ["i32" /* int dirfd */, "ptr" /* const char *path */, "i32" /* int flags */], returns: "i32" },
  statx: {
    args: [
      "i32" /* int dirfd */,
      "ptr" /* const char *path */,
      "i32" /* int flags */,
      "u32" /* unsigned mask */,
      "ptr" /* struct statx *out */,
    ],
    returns: "i32",
  },
  mmap: {
    args: [
      "ptr",
      "u64" /* size_t length */,
      "i32" /* int prot */,
      "i32" /* int flags */,
      "i32" /* int fd */,
      "i64" /* off_t */,
    ],
    returns: "ptr",
  },
  malloc_trim: { args: ["u64" /* size_t pad */], returns: "i32" },
  getpagesize: { args: [], returns: "i32" },
  fstatfs: { args: ["i32" /* int fd */, "ptr" /* struct statfs *out */], returns: "i32" },
  clock_gettime: { args: ["i32" /* clockid_t clock */, "ptr" /* struct timespec *out */], returns: "i32" },
  name_to_handle_at: {
    args: [
      "i32" /* int dirfd */,
      "ptr" /* const char *path */,
      "ptr" /* struct file_handle *inout */,
      "ptr" /* int *mount_id, out */,
      "i32" /* int flags */,
    ],
    returns: "i32",
  },
  open_by_handle_at: {
    args: ["i32" /* int mount_fd */, "ptr" /* struct file_handle *handle */, "i32" /* int flags */],
    returns: "i32",
  },
  fanotify_init: { args: ["u32" /* unsigned flags */, "u32" /* unsigned event_f_flags */], returns: "i32" },
  fanotify_mark: {
    args: [
      "i32" /* int fanotify_fd */,
      "u32" /* unsigned flags */,
      "u64" /* uint64_t mask */,
      "i32" /* int dirfd */,
      "ptr" /* const char *path */,
    ],
    returns: "i32",
  },
  fcntl: { args: ["i32" /* int fd */, "i32" /* int op */, "ptr" /* struct flock * */], returns: "i32" },
  raise: { args: ["i32" /* int sig */], returns: "i32" },
  syscall: {
    args: [
      "i64" /* long number */,
      "i64" /* 1st to 4th argument: pidfd_send_signal(int pidfd, int signal, siginfo_t *info, unsigned flags) */,
      "i64",
      "i64",
      "i64",
    ],
    returns: "i64",
  },
});

// <fcntl.h>, <linux/memfd.h>, <linux/stat.h>, <time.h>: the same on x86-64 and arm64.
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** Linux 6.5, 96b2b072ee62 "exportfs: allow exporting non-decodeable file handles to userspace". */
const AT_HANDLE_FID = 0x200;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const MFD_CLOEXEC = 0x1;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const MAX_HANDLE_SZ = 128;
/** <asm-generic/unistd.h>: system calls from 424 on have one number on every architecture. glibc wraps this one since 2.36. */
const SYS_pidfd_send_signal = 424;

/** The thread's errno never moves, so its address is asked for once (each Worker loads its own copy of this module). */
const errnoAddress = c.__errno_location()!;

/** The result of a call, or its errno(3) thrown. */
export function unwrap(call: string, result: number, on?: string): number {
  if (result !== -1) return result;
  throw new SystemError(call, read.i32(errnoAddress), on);
}

/** The bytes of a path (or of plain text), NUL-terminated. A NUL inside would silently name another file. */
export function cString(text: string): Uint8Array {
  if (text.includes("\0"))
    throw new SystemError("path with a NUL byte", osConstants.errno.EINVAL, JSON.stringify(text));
  return Buffer.concat([pathBytes(text), Buffer.of(0)]);
}

/** memfd_create(2): an anonymous file with these bytes, closed on exec. The caller closes it. */
export function memfdFromBytes(name: string, bytes: Uint8Array): number {
  const fd = unwrap("memfd_create", c.memfd_create(cString(name), MFD_CLOEXEC), name);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/**
 * open(2) with O_PATH: pins an inode without opening it (a symbolic link itself, not its target).
 * The caller closes it. undefined when nothing is there.
 */
export function openPath(path: string): number | undefined {
  const flags = O_PATH | O_CLOEXEC | constants.O_NOFOLLOW;
  return unlessAbsent(() => unwrap("openat", c.openat(AT_FDCWD, cString(path), flags), path));
}

/**
 * What a path (never followed if it is a symbolic link, never automounted) or an open file is;
 * undefined when nothing is there. Everything else that can be wrong is thrown as a SystemError.
 */
export function statx(path: string): Statx | undefined;
export function statx(fd: number): Statx;
export function statx(target: string | number): Statx | undefined {
  const out = new Uint8Array(256);
  const mask = STATX_BASIC_STATS | STATX_MNT_ID;
  if (typeof target === "number") {
    unwrap("statx", c.statx(target, cString(""), AT_EMPTY_PATH, mask, out), `fd ${target}`);
  } else {
    const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    const found = unlessAbsent(() => unwrap("statx", c.statx(AT_FDCWD, cString(target), flags, mask, out), target));
    if (found === undefined) return undefined;
  }
  return decodeStatx(out);
}

/** statfs(2) f_type and f_fsid of an open file, the latter in the byte order of fanotify's records. */
export function fstatfs(fd: number): { readonly type: number; readonly fsid: Uint8Array } {
  const out = new Uint8Array(120);
  unwrap("fstatfs", c.fstatfs(fd, out), `fd ${fd}`);
  return { type: new DataView(out.buffer).getUint32(0, true), fsid: out.slice(56, 64) };
}

/** struct file_handle: what stays the same for an inode under all its names, and differs for its successor under the same number. */
export interface FileHandle {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/**
 * name_to_handle_at(2) of an open file. Asks for the kind of handle that fanotify reports
 * (AT_HANDLE_FID: overlay has no other), and before Linux 6.5 for the ordinary kind.
 */
export function nameToHandle(fd: number): FileHandle {
  const handle = new Uint8Array(8 + MAX_HANDLE_SZ);
  const view = new DataView(handle.buffer);
  const mountId = new Int32Array(1);
  const ask = (flags: number): void => {
    view.setUint32(0, MAX_HANDLE_SZ, true);
    unwrap("name_to_handle_at", c.name_to_handle_at(fd, cString(""), handle, mountId, flags), `fd ${fd}`);
  };
  try {
    ask(AT_EMPTY_PATH | AT_HANDLE_FID);
  } catch (error) {
    if (!hasCode(error, "EINVAL")) throw error;
    ask(AT_EMPTY_PATH);
  }
  return { type: view.getInt32(4, true), bytes: handle.slice(8, 8 + view.getUint32(0, true)) };
}

/**
 * open_by_handle_at(2) with O_PATH: pins an inode that may have been moved, through any file of its
 * mount that is open (O_PATH does not do). undefined when the inode is gone, or when the file system cannot find it by its handle.
 */
export function openHandle(mountFd: number, handle: FileHandle): number | undefined {
  const struct = new Uint8Array(8 + handle.bytes.length);
  const view = new DataView(struct.buffer);
  view.setUint32(0, handle.bytes.length, true);
  view.setInt32(4, handle.type, true);
  struct.set(handle.bytes, 8);
  const fd = c.open_by_handle_at(mountFd, struct, O_PATH | O_CLOEXEC);
  return fd === -1 ? undefined : fd;
}

/**
 * Whether the process of a pidfd has not been reaped, so that its number is still its own
 * (pidfd_send_signal(2) with signal 0; a zombie counts as there).
 */
export function pidfdAlive(pidfd: number): boolean {
  const sent = c.syscall(SYS_pidfd_send_signal, pidfd, 0, 0, 0);
  return Number(sent) !== -1 || read.i32(errnoAddress) !== osConstants.errno.ESRCH;
}

/** <fcntl.h>: the same on x86-64 and arm64. */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const SEEK_SET = 0;

/** fcntl(2) F_OFD_SETLK: an exclusive lock on one byte, of this open file; EAGAIN where another has it. */
export function lockByte(fd: number, at: bigint): void {
  const flock = new DataView(new ArrayBuffer(32)); // l_pid stays 0
  flock.setInt16(0, F_WRLCK, true);
  flock.setInt16(2, SEEK_SET, true);
  flock.setBigInt64(8, at, true);
  flock.setBigInt64(16, 1n, true);
  unwrap("fcntl", c.fcntl(fd, F_OFD_SETLK, new Uint8Array(flock.buffer)), `fd ${fd}`);
}

/** raise(3): sends this thread a signal. */
export function raise(signal: number): void {
  unwrap("raise", c.raise(signal) === 0 ? 0 : -1, String(signal));
}

/** fanotify_init(2) for notification: the reported files are never opened for us, so event_f_flags do not matter. */
export function fanotifyInit(flags: number): number {
  return unwrap("fanotify_init", c.fanotify_init(flags, constants.O_RDONLY));
}

/** fanotify_mark(2). Follows `path` if it is a symbolic link, which /proc/self/fd/N makes use of. */
export function fanotifyMark(fanotify: number, flags: number, mask: number, path: string): void {
  unwrap("fanotify_mark", c.fanotify_mark(fanotify, flags, mask, AT_FDCWD, cString(path)), path);
}

/** <sys/mman.h>: the same on x86-64 and arm64. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;

/** mmap(2): so many bytes of a file from a page on, shared, to be read for as long as the process lives, or written as well. */
export function mapShared(fd: number, page: number, bytes: number, access: "readable" | "writable"): Pointer {
  const address = c.mmap(
    null,
    BigInt(bytes),
    access === "writable" ? PROT_READ | PROT_WRITE : PROT_READ,
    MAP_SHARED,
    fd,
    BigInt(page * c.getpagesize()),
  );
  if (address === null || BigInt(address) === MAP_FAILED) unwrap("mmap", -1, `page ${page}`);
  return Number(address) as Pointer;
}

/** malloc_trim(3): gives back what glibc's allocator keeps of memory that was freed. Bun has an allocator of its own. */
export function trimHeap(): void {
  c.malloc_trim(0n);
}

const timespec = new BigInt64Array(2);

function clock(id: number): bigint {
  unwrap("clock_gettime", c.clock_gettime(id, timespec));
  return timespec[0]! * 1_000_000_000n + timespec[1]!;
}

/** CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns(), in nanoseconds. (process.hrtime is another clock.) */
export const monotonic = (): bigint => clock(CLOCK_MONOTONIC);

/** CLOCK_REALTIME, nanoseconds since the epoch. */
export const realtime = (): bigint => clock(CLOCK_REALTIME);

/** What to add to a CLOCK_MONOTONIC time for nanoseconds since the epoch. Changes when the clock is set: ask again now and then. */
export const realtimeOffset = (): bigint => offsetTo(CLOCK_MONOTONIC);

/** The same for CLOCK_BOOTTIME, the clock of start_boottime and of /proc/PID/stat's start time. */
export const boottimeOffset = (): bigint => offsetTo(CLOCK_BOOTTIME);

/** The tightest of five samples: a preemption between two reads of a clock would else end up in every time stamp. */
function offsetTo(id: number): bigint {
  let best = { width: 1n << 62n, offset: 0n };
  for (let i = 0; i < 5; i++) {
    const before = clock(id);
    const now = realtime();
    const after = clock(id);
    if (after - before < best.width) best = { width: after - before, offset: now - (before + after) / 2n };
  }
  return best.offset;
}

/** Effective user id 0: what the kernel asks of almost everything here is a capability of root's. */
export const isRoot = (): boolean => process.geteuid?.() === 0;

/** undefined where nothing has that name (or what should be a directory is none); other failures are thrown. */
function unlessAbsent<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
