import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";

export const MOVE_AWAY = "move it away to begin with an empty one, or name another file with --database";

/** What went wrong, and what to do about it, by the beginning of SQLite's result code (sqlite.org/rescode.html). */
const CAUSES: readonly (readonly [code: string, what: string, hint: string])[] = [
  ["SQLITE_NOTADB", "is not a database", MOVE_AWAY],
  ["SQLITE_CORRUPT", "is damaged", MOVE_AWAY],
  ["SQLITE_FULL", "cannot grow: the disk is full", "make room on its file system"],
  ["SQLITE_BUSY", "is in use by another process", "stop the other one, or name another file with --database"],
  ["SQLITE_LOCKED", "is in use by another process", "stop the other one, or name another file with --database"],
  ["SQLITE_READONLY", "cannot be written", "check its permissions and that its file system is mounted read-write"],
  ["SQLITE_CANTOPEN_SYMLINK", "is a symbolic link", "name the file itself with --database"],
  ["SQLITE_CANTOPEN", "cannot be opened", "check its permissions and that its file system is mounted read-write"],
  ["SQLITE_PERM", "cannot be opened", "check its permissions"],
  ["SQLITE_IOERR_SHMSIZE", "cannot grow: the disk is full", "make room on its file system"],
  ["SQLITE_IOERR", "cannot be read or written", "check the disk and the kernel's log"],
  [
    "ENOENT",
    "cannot be made: its parent directory does not exist",
    "make the directory, or name another file with --database",
  ],
  ["ENOTDIR", "cannot be made: its parent is not a directory", "name another file with --database"],
  [
    "EROFS",
    "cannot be made: the file system is read-only",
    "mount it read-write, or name another file with --database",
  ],
  ["ENOSPC", "cannot be made: the disk is full", "make room on its file system"],
  ["EDQUOT", "cannot be made: the disk quota is used up", "make room on its file system"],
  ["EACCES", "cannot be made: permission denied", "run bpfink as root, or name another file with --database"],
  ["EPERM", "cannot be made: not permitted", "run bpfink as root, or name another file with --database"],
  ["ELOOP", "is behind a loop of symbolic links", "name another file with --database"],
];

/** An error of SQLite or the file system as the user is to see it; any other is a bug, and stays what it is. */
export function databaseError(path: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (error instanceof BpfinkError || code === "") return error;
  const cause = CAUSES.find(([prefix]) => code.startsWith(prefix));
  if (cause === undefined) return unusable(path, `failed: ${messageOf(error)} (${code})`, "check the disk", error);
  const [, what, hint] = cause;
  return unusable(path, `${what} (${code})`, hint, error);
}

export function unusable(path: string, what: string, hint: string, cause?: unknown): BpfinkError {
  return new BpfinkError(ExitStatus.database, `state database ${path} ${what}`, hint, { cause });
}

export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
