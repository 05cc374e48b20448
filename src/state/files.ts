import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, realpathSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { unusable } from "./errors.ts";

/** The name of an empty file beside a database behind its own: a bpfink has used it, whatever is in it now. */
export const MARK = "-used";

/** What lies beside a database. */
const BESIDE = ["-wal", "-shm", "-journal", MARK] as const;

/** The directory is made if missing, for root alone; so is the file, before SQLite would make it for all to read. */
export function prepareFile(path: string): string {
  const directory = dirname(resolve(path));
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) mkdirSync(directory, { mode: 0o700 });
  if (path !== path.trim()) throw unusable(path, "has a name that bun:sqlite would trim", "name another file");
  // NOFOLLOW minds links anywhere in the path; only the last name is anybody's to plant.
  const file = join(realpathSync(directory), basename(path));
  for (const suffix of ["", ...BESIDE]) {
    const stat = lstatSync(file + suffix, { throwIfNoEntry: false });
    if (stat !== undefined) refuseOdd(path, file, suffix, stat);
  }
  createPrivate(file);
  return file;
}

/** Takes from others what they may do with a database that is known to be ours: SQLite gives -wal and -shm its mode only once. */
export function makePrivate(file: string): void {
  for (const suffix of ["", ...BESIDE]) {
    const stat = lstatSync(file + suffix, { throwIfNoEntry: false });
    if (stat !== undefined && (stat.mode & 0o077) !== 0) chmodSync(file + suffix, 0o600);
  }
}

/** Where a database is. Throws BpfinkError if there is none. */
export function existingFile(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw unusable(path, "does not exist", "start bpfink once, or name another file with --database");
  }
  const trouble = irregular(stat);
  // opening a FIFO would wait for who writes it
  if (trouble !== undefined) throw unusable(path, trouble, "name the file itself with --database");
  return join(realpathSync(dirname(resolve(path))), basename(path));
}

/**
 * Never opens what is there: closing any descriptor of a file drops all locks that the process has
 * on it (fcntl(2)), and with them SQLite's.
 */
export function createPrivate(file: string): void {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  try {
    closeSync(openSync(file, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** SQLite follows links of names that it makes up itself, and waits for FIFOs. */
function refuseOdd(path: string, file: string, suffix: string, stat: Stats): void {
  const isItself = suffix === "";
  const trouble = irregular(stat) ?? foreign(stat);
  if (trouble !== undefined) {
    const what = isItself ? trouble : `has ${file}${suffix} beside it, which ${trouble}`;
    throw unusable(path, what, isItself ? "name the file itself with --database" : `remove ${file}${suffix}`);
  }
}

function irregular(stat: Stats): string | undefined {
  if (stat.isSymbolicLink()) return "is a symbolic link";
  return stat.isFile() ? undefined : "is not a regular file";
}

/** Who owns it reads and writes it, whatever its mode. */
function foreign({ uid }: Stats): string | undefined {
  return uid === 0 || uid === process.geteuid?.() ? undefined : `belongs to user ${uid}`;
}
