import { closeSync, constants as fs, existsSync, openSync, readSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { constants, Database } from "bun:sqlite";

const READ_ONLY = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;

/** Of a -shm, bytes: its header, twice (sqlite.org/walformat.html, "The WAL-Index File Format"). */
const INDEX_HEADER = 96;

/** Who writes holds nobody up in WAL mode, but for the moment in which the log is begun anew. Milliseconds. */
const BUSY_TIMEOUT = 50;

/** Runs a query, and returns its rows. */
export type Query = <Row>(sql: string, ...parameters: (Uint8Array | number)[]) => Row[];

/**
 * Reads another program's database, and leaves it as it is: no file is made, no content changed, and
 * nobody who writes waits. Throws what SQLite says, and if there is none.
 */
export function readForeign<T>(path: string, read: (query: Query) => T): T {
  if (!statSync(path).isFile()) throw new Error(`${path} is no file`); // a FIFO would be waited for
  const database = new Database(`${pathToFileURL(path).href}?${modeOf(path)}`, READ_ONLY);
  try {
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return read((sql, ...parameters) => {
      using statement = database.prepare<any, (Uint8Array | number)[]>(sql);
      return statement.all(...parameters);
    });
  } finally {
    database.close();
  }
}

/**
 * Another one with each transaction that a reader finds. In WAL mode that is not when the log is written: the
 * header of its index says later, after a sync of the log, that the transaction is in it.
 */
export function versionOf(path: string): string {
  return `${identityOf(path)} ${identityOf(`${path}-wal`)} ${indexHeader(`${path}-shm`)}`;
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function indexHeader(path: string): string {
  try {
    const fd = openSync(path, fs.O_RDONLY | fs.O_NONBLOCK);
    try {
      const header = Buffer.alloc(INDEX_HEADER);
      return header.toString("latin1", 0, readSync(fd, header, 0, INDEX_HEADER, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return ""; // nobody has it open
  }
}

/**
 * In WAL mode a reader needs the -shm, where it would note what it reads, or build it anew. It need not:
 * with `readonly_shm` the locks are enough, or an index of its own if nobody writes (sqlite.org/wal.html,
 * "Read-Only Databases"; walBeginShmUnreliable in wal.c). Without these files nobody writes.
 */
const modeOf = (path: string): string =>
  existsSync(`${path}-wal`) || existsSync(`${path}-shm`) ? "readonly_shm=1" : "immutable=1";
