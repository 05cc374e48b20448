import { lstatSync, renameSync, type Stats } from "node:fs";
import { isMissing } from "./errors.ts";
import { MARK } from "./files.ts";
import { probe } from "./open.ts";

/** What became of a database that was fine. */
export type Trouble =
  "was deleted" | "was replaced" | "was truncated" | "has lost its -wal" | "is damaged" | "cannot be written";

/** By the beginning of SQLite's result code; what is not here passes (full disk, locked by others). */
const TROUBLES: readonly (readonly [code: string, trouble: Trouble])[] = [
  ["SQLITE_NOTADB", "is damaged"],
  ["SQLITE_CORRUPT", "is damaged"],
  ["SQLITE_IOERR_SHORT_READ", "is damaged"],
  ["SQLITE_READONLY_DBMOVED", "was replaced"],
  ["SQLITE_READONLY", "cannot be written"],
  ["SQLITE_IOERR", "cannot be written"],
  ["SQLITE_CANTOPEN", "cannot be written"],
  ["SQLITE_PERM", "cannot be written"],
];

export function troubleOf(error: unknown): Trouble | undefined {
  const code = String((error as { code?: unknown } | undefined)?.code);
  return TROUBLES.find(([prefix]) => code.startsWith(prefix))?.[1];
}

/** Whether an error at opening is the file's own: no database, pages that are not what they were, tables that are not ours. */
export function isUnsound(error: unknown): boolean {
  return troubleOf(error) === "is damaged" || (error as { code?: unknown } | undefined)?.code === "SQLITE_ERROR";
}

/** undefined where nothing is, or can be. A link is not followed: the next start would not follow it either. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    throw error;
  }
}

/**
 * Watches the file of an open database: SQLite itself does not mind that it is deleted, nor that its
 * -wal is, with all that has not come to the file. Never opens the file: closing it would drop SQLite's
 * locks (fcntl(2)).
 */
export class FileHealth {
  readonly #path: string;
  readonly #ino: number;
  #walIno: number | undefined;
  #size: number;
  #mtime: number;

  constructor(path: string) {
    this.#path = path;
    const stat = lstatSync(path);
    this.#ino = stat.ino;
    this.#walIno = look(`${path}-wal`)?.ino;
    this.#size = stat.size;
    this.#mtime = stat.mtimeMs;
  }

  trouble(): Trouble | undefined {
    try {
      const stat = look(this.#path);
      const walIno = look(`${this.#path}-wal`)?.ino;
      if (stat === undefined) return "was deleted";
      if (stat.ino !== this.#ino) return "was replaced";
      this.#walIno ??= walIno;
      if (walIno !== this.#walIno) return "has lost its -wal";
      // pages are never given back, so it does not become smaller by itself
      if (stat.size < this.#size) return "was truncated";
      this.#size = stat.size;
      if (stat.mtimeMs === this.#mtime) return undefined;
      this.#mtime = stat.mtimeMs;
      probe(this.#path);
      return undefined;
    } catch (error) {
      return troubleOf(error);
    }
  }
}

/** Whether a file was ever a bpfink's database, whatever is in it now. */
export const isMarked = (path: string): boolean => look(path + MARK) !== undefined;

/** Whether a bpfink used a database that is now gone or empty: it makes its mark when there is something in it. */
export const wasUsed = (path: string): boolean => isMarked(path) && (look(path)?.size ?? 0) === 0;

/** Moves a database and what SQLite has beside it out of the way. Returns its new name, undefined if there is none. */
export function setAside(path: string, now = new Date()): string | undefined {
  const time = `${path}.broken-${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
  let name = time;
  for (let again = 2; (look(name) ?? look(`${name}-wal`)) !== undefined; again++) name = `${time}-${again}`;
  let moved: string | undefined;
  for (const suffix of ["-wal", "-shm", ""]) {
    try {
      renameSync(path + suffix, name + suffix);
      if (suffix === "") moved = name;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return moved;
}

/** Closes what may be broken. */
export function closeQuietly(database: Disposable | undefined): void {
  try {
    database?.[Symbol.dispose]();
  } catch {
    // its file is not there, or not what it was: nothing is to be saved
  }
}
