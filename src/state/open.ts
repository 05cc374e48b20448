import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { constants, Database } from "bun:sqlite";
import { databaseError, unusable } from "./errors.ts";
import { FileLock } from "../kernel/file-lock.ts";
import { createPrivate, existingFile, makePrivate, MARK, prepareFile } from "./files.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

/** An open database of the newest schema, and the claim that keeps other bpfinks out of it, to be closed after it. */
export interface Opened {
  readonly database: Database;
  readonly claim: FileLock | undefined;
}

export const MEMORY = ":memory:";

/**
 * What MEMORY opens: a database of this process's own that is in memory until it is larger than the
 * page cache of 2 MB, and then in an unlinked temporary file (sqlite.org/inmemorydb.html, "Temporary
 * Databases"). So lines that nobody reads do not fill the memory: 200,000 of them take 58 MB of RSS
 * where a database in memory alone takes 218 MB.
 */
const TEMPORARY = "file:";

/**
 * bun:sqlite takes flags or its own options, not both, and only flags have NOFOLLOW; safe integers are
 * asked for by each statement (store.ts).
 */
const FLAGS = constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_CREATE | constants.SQLITE_OPEN_NOFOLLOW;

/** For those who only look: nothing is made, nothing is locked for others. URI: `immutable` is asked for in one. */
const READ_ONLY = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_NOFOLLOW | constants.SQLITE_OPEN_URI;

const BESIDE = constants.SQLITE_OPEN_READWRITE | constants.SQLITE_OPEN_NOFOLLOW;

/** Long enough for somebody's backup or `sqlite3` session to finish its transaction. */
const BUSY_TIMEOUT_MS = 5_000;

/** Opens a database and brings it to the newest schema; throws BpfinkError, and never replaces what is there. */
export function openDatabase(path: string): Opened {
  let database: Database | undefined;
  let claim: FileLock | undefined;
  try {
    const file = path === MEMORY ? TEMPORARY : prepareFile(path);
    if (file !== TEMPORARY) claim = claimFile(path, file);
    database = new Database(file, file === TEMPORARY ? FLAGS | constants.SQLITE_OPEN_URI : FLAGS);
    // FULL: a line that was printed must not be unknown after a power cut; it costs 0.18 ms a change.
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    checkOwner(database, path);
    if (file !== TEMPORARY) makePrivate(file);
    database.run(`PRAGMA journal_mode = ${file === TEMPORARY ? "MEMORY" : "WAL"}`);
    database.run("PRAGMA synchronous = FULL");
    // as few pages as serve one transaction: what is read is read once (the default is 2 MB)
    if (file !== TEMPORARY) database.run("PRAGMA cache_size = -256");
    // what a look at very many files, or a reader that took its time, made of the -wal is given back
    database.run("PRAGMA journal_size_limit = 16777216");
    migrate(database, path);
    if (claim?.isAt(file) === false) throw unusable(path, "was replaced while it was opened", "start bpfink again");
    if (file !== TEMPORARY) createPrivate(file + MARK);
    return { database, claim };
  } catch (error) {
    database?.close();
    claim?.[Symbol.dispose]();
    throw databaseError(path, error);
  }
}

/**
 * Opens a database that another bpfink may be using; throws BpfinkError if there is none, or one of
 * another schema. "write": for what is another process's to write, not the journal.
 */
export function openBeside(path: string, to: "read" | "write"): Database {
  let database: Database | undefined;
  try {
    const file = existingFile(path);
    database = to === "read" ? openShared(file) : new Database(file, BESIDE);
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    checkOwner(database, path);
    const version = pragma(database, "user_version");
    if (version > MIGRATIONS.length) throw tooNew(path, version);
    if (version < MIGRATIONS.length) {
      throw unusable(path, `has schema ${version}, older than this bpfink's`, "start bpfink once, which upgrades it");
    }
    return database;
  } catch (error) {
    database?.close();
    throw databaseError(path, error);
  }
}

/** Throws SQLite's error if what is there cannot be read as a database. */
export function probe(path: string): void {
  const database = new Database(existingFile(path), constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_NOFOLLOW);
  try {
    pragma(database, "user_version");
  } finally {
    database.close();
  }
}

/**
 * A database in WAL mode needs its -shm even to be read, and so a directory that can be written. Where
 * that cannot be, nobody else writes either, and SQLite may take the file as it is (sqlite.org/wal.html,
 * "Read-Only Databases").
 */
function openShared(file: string): Database {
  const uri = pathToFileURL(file).href;
  try {
    const database = new Database(uri, READ_ONLY);
    pragma(database, "user_version");
    return database;
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (!code.startsWith("SQLITE_CANTOPEN") || existsSync(`${file}-wal`)) throw error;
    return new Database(`${uri}?immutable=1`, READ_ONLY);
  }
}

/** Throws if another bpfink uses the file at a path. `history` and other readers are nothing to it. */
export function claimFile(path: string, file: string): FileLock | undefined {
  try {
    const claim = FileLock.take(file);
    if (claim !== undefined) return claim;
  } catch {
    return undefined; // it cannot be written, which SQLite will say
  }
  throw unusable(path, "is in use by another bpfink", "stop that one, or name another file with --database");
}

function checkOwner(database: Database, path: string): void {
  const owner = pragma(database, "application_id");
  const tables = database.query<{ n: number }, []>("SELECT count(*) AS n FROM sqlite_schema").get()?.n ?? 0;
  if (owner === APPLICATION_ID || (owner === 0 && tables === 0)) return;
  throw unusable(path, "belongs to another program", "name another file with --database");
}

/** All steps in one transaction: a crash leaves the schema as it was, or as it should be. */
function migrate(database: Database, path: string): void {
  const step = database.transaction(() => {
    const version = pragma(database, "user_version");
    if (version > MIGRATIONS.length) throw tooNew(path, version);
    if (version === MIGRATIONS.length) return;
    for (const migration of MIGRATIONS.slice(version)) database.run(migration);
    database.prepare("INSERT OR IGNORE INTO secret (id, key) VALUES (1, ?)").run(randomBytes(32));
    database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.run(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
  step.immediate();
}

function tooNew(path: string, version: number): Error {
  return unusable(path, `has schema ${version}, newer than this bpfink's ${MIGRATIONS.length}`, "upgrade bpfink");
}

function pragma(database: Database, name: "application_id" | "user_version"): number {
  return Object.values(database.query<Record<string, number>, []>(`PRAGMA ${name}`).get() ?? {})[0] ?? 0;
}
