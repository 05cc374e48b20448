import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemError, errnoName } from "../../../src/kernel/errno.ts";
import {
  boottimeOffset,
  fstatfs,
  memfdFromBytes,
  monotonic,
  nameToHandle,
  openHandle,
  openPath,
  pidfdAlive,
  realtime,
  realtimeOffset,
  statx,
} from "../../../src/kernel/libc.ts";

const directory = mkdtempSync(join(tmpdir(), "bpfink-libc-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, "ä file");
writeFileSync(file, "12345", { mode: 0o640 });
linkSync(file, join(directory, "link"));

/** Runs `use` on an open descriptor, and closes it. */
function withPath<T>(path: string, use: (fd: number) => T): T {
  const fd = openPath(path);
  if (fd === undefined) throw new Error(`${path} is not there`);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("did not throw");
}

test("statx says what lstat says", () => {
  const expected = lstatSync(file, { bigint: true });
  expect(statx(file)).toMatchObject({
    type: "file",
    mode: 0o640,
    uid: process.getuid!(),
    gid: process.getgid!(),
    nlink: 2,
    size: 5n,
    inode: expected.ino,
    mtime: expected.mtimeNs,
    ctime: expected.ctimeNs,
    deviceMajor: Number((expected.dev >> 8n) & 0xfffn),
    deviceMinor: Number((expected.dev & 0xffn) | ((expected.dev >> 12n) & 0xfff00n)),
  });
});

test("statx names the mount that mountinfo lists", () => {
  const ids = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[0]);
  expect(ids).toContain(String(statx(file)?.mountId));
});

test("statx knows every type of file and follows no symbolic link", () => {
  symlinkSync(directory, join(directory, "symlink"));
  expect(statx(join(directory, "symlink"))?.type).toBe("symlink");
  expect(statx(directory)?.type).toBe("directory");
  expect(statx("/dev/null")?.type).toBe("character device");
  expect(statx("/proc/self/fd/")?.type).toBe("directory");
});

test("what is not there is undefined", () => {
  expect(statx(join(directory, "none"))).toBeUndefined();
  expect(statx(join(file, "below a file"))).toBeUndefined();
  expect(openPath(join(directory, "none"))).toBeUndefined();
});

test("what cannot be looked at is an error with a name", () => {
  const loop = join(directory, "loop");
  symlinkSync(loop, loop);
  expect(errorOf(() => statx(join(loop, "x")))).toMatchObject({ code: "ELOOP", errno: 40, call: "statx" });
  expect(errorOf(() => statx(`/${"x".repeat(256)}`))).toMatchObject({ code: "ENAMETOOLONG" });
  expect(errorOf(() => statx(`${file}\0x`))).toBeInstanceOf(SystemError);
  expect(errorOf(() => statx(-1))).toMatchObject({ code: "EBADF" });
});

test("numbers have the names of the man pages", () => {
  expect([2, 11, 95, 1, 524].map(errnoName)).toEqual(["ENOENT", "EAGAIN", "EOPNOTSUPP", "EPERM", "E524"]);
});

test.each([0, 1, 1_000_000])("a memfd holds all of %d bytes", (length) => {
  const bytes = new Uint8Array(length).map((_, i) => i % 251);
  const fd = memfdFromBytes("bpfink-test", bytes);
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toStartWith("/memfd:bpfink-test");
  expect(Buffer.compare(readFileSync(`/proc/self/fd/${fd}`), bytes)).toBe(0);
  // O_CLOEXEC, in octal.
  expect(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")).toMatch(/flags:\s+02\d{6}/);
  closeSync(fd);
});

test("a handle belongs to the inode, whatever its name", () => {
  const handle = withPath(file, nameToHandle);
  expect(withPath(join(directory, "link"), nameToHandle)).toEqual(handle);
  expect(withPath(directory, nameToHandle)).not.toEqual(handle);
  expect(withPath(file, fstatfs)).toEqual(withPath(directory, fstatfs));
});

test("a handle leads to its inode wherever it went, until it is gone", () => {
  const subdirectory = join(directory, "sub");
  mkdirSync(subdirectory);
  writeFileSync(join(subdirectory, "moved"), "");
  const handle = withPath(join(subdirectory, "moved"), nameToHandle);
  const inode = statx(join(subdirectory, "moved"))?.inode;
  renameSync(join(subdirectory, "moved"), join(directory, "here"));
  const mount = openSync(directory, constants.O_DIRECTORY);
  const fd = openHandle(mount, handle);
  expect(fd).toBeDefined();
  expect(statx(fd!).inode).toBe(inode!);
  closeSync(fd!);
  rmSync(join(directory, "here"));
  expect(openHandle(mount, handle)).toBeUndefined();
  closeSync(mount);
});

test("clocks agree with each other", () => {
  const before = realtime();
  const sum = monotonic() + realtimeOffset();
  expect(sum - before).toBeGreaterThan(-1_000_000n);
  expect(sum - before).toBeLessThan(1_000_000_000n);
  expect(Math.abs(Number(before / 1_000_000n) - Date.now())).toBeLessThan(1000);
  // The clock of boot includes the time asleep, so it is never behind.
  expect(realtimeOffset() - boottimeOffset()).toBeGreaterThan(-1_000_000n);
});

test("a descriptor that is no pidfd is no proof of death", () => {
  expect(pidfdAlive(-1)).toBe(true);
});
