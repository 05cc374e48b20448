import { closeSync, constants, fstatSync, openSync, statSync, type BigIntStats } from "node:fs";
import { hasCode } from "./errno.ts";
import { lockByte } from "./libc.ts";

/** A byte that SQLite never locks: those it uses are behind the first GiB (sqlite.org/fileformat2.html#lockbyte_page). */
const BYTE = 1n << 62n;

const nameOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/**
 * An exclusive lock on a file, for as long as the process lives or it is closed. It is on the inode: nothing that is
 * deleted or put in its place lets others have it. It belongs to the open file (F_OFD_SETLK), so closing other
 * descriptors does not drop it. But closing this one drops all locks of fcntl(2) that the process has on the file,
 * SQLite's among them: to be closed after the database.
 */
export class FileLock implements Disposable {
  /** This process's own: to try for a second lock would drop SQLite's. */
  static readonly #held = new Set<string>();
  readonly #fd: number;
  readonly #name: string;
  #isOpen = true;

  private constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
    FileLock.#held.add(name);
  }

  /** undefined: somebody else holds it. Throws what stat(2), open(2) and fcntl(2) say. */
  static take(path: string): FileLock | undefined {
    if (FileLock.#held.has(nameOf(statSync(path, { bigint: true })))) return undefined;
    const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      lockByte(fd, BYTE);
      return new FileLock(fd, nameOf(fstatSync(fd, { bigint: true })));
    } catch (error) {
      closeSync(fd);
      if (hasCode(error, "EAGAIN", "EACCES")) return undefined;
      throw error;
    }
  }

  /** Whether the file is still what the path leads to. */
  isAt(path: string): boolean {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat !== undefined && nameOf(stat) === this.#name;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    FileLock.#held.delete(this.#name);
    closeSync(this.#fd);
  }
}
