import { existsSync, renameSync, statSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { isMissing } from "./errors.ts";
import { probe } from "./open.ts";

/** What became of a database that was fine. */
export type Trouble = "was deleted" | "was replaced" | "was truncated" | "is damaged" | "cannot be written";

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

/**
 * Watches the file of an open database: SQLite itself does not mind that it is deleted. Never opens
 * the file: closing it would drop SQLite's locks (fcntl(2)).
 */
export class FileHealth {
  readonly #path: string;
  readonly #ino: number;
  #size: number;
  #mtime: number;

  constructor(path: string) {
    this.#path = path;
    const stat = statSync(path);
    this.#ino = stat.ino;
    this.#size = stat.size;
    this.#mtime = stat.mtimeMs;
  }

  trouble(): Trouble | undefined {
    try {
      const { ino, size, mtimeMs } = statSync(this.#path);
      if (ino !== this.#ino) return "was replaced";
      // pages are never given back, so it does not become smaller by itself
      if (size < this.#size) return "was truncated";
      this.#size = size;
      if (mtimeMs === this.#mtime) return undefined;
      this.#mtime = mtimeMs;
      probe(this.#path);
      return undefined;
    } catch (error) {
      return isMissing(error) ? "was deleted" : troubleOf(error);
    }
  }
}

/** Whether a bpfink used a database that is now gone or empty: what keeps others out is still there. */
export function wasUsed(path: string): boolean {
  return existsSync(`${path}-lock`) && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Moves a database and what SQLite has beside it out of the way. Returns its new name, undefined if there is none. */
export function setAside(path: string, now = new Date()): string | undefined {
  const name = `${path}.broken-${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
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
export function closeQuietly(database: Database | undefined): void {
  try {
    database?.close();
  } catch {
    // its file is not there, or not what it was: nothing is to be saved
  }
}
