import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import type { Database } from "bun:sqlite";
import type { Keys, State } from "../consumers/consumer.ts";
import { messageOf } from "../errors.ts";
import type { FileLock } from "../kernel/file-lock.ts";
import { databaseError, MOVE_AWAY, unusable } from "./errors.ts";
import { Expectations } from "./expectations.ts";
import { closeQuietly, FileHealth, isMarked, isUnsound, setAside, type Trouble, troubleOf, wasUsed } from "./health.ts";
import { type Entry, Journal, type JournalOptions, type Retention } from "./journal.ts";
import { claimFile, MEMORY, openBeside, openDatabase, type Opened } from "./open.ts";
import { prepare } from "./statement.ts";
import { copySecret, isAsLeft, salvageStates, transfer } from "./transfer.ts";

/** A change to be recorded: the state from now on, and the line that tells of it. */
export interface Change {
  readonly path: string;
  readonly state: State;
  /** Makes the line from the sequence number that it got; the chain's keys are put in by the journal. */
  readonly line: (seq: number) => string;
}

/** What became of a database that could not be used as it was. */
export interface Recovery {
  readonly trouble: Trouble | "can be written again" | "was used by another bpfink meanwhile";
  /** Where the old one is now. */
  readonly setAside?: string | undefined;
  /** All that it held is in the new one: states, lines, the chain. */
  readonly isWhole: boolean;
  readonly inMemory: boolean;
  /** Why it is in memory, where it could not be made anew. */
  readonly why?: string | undefined;
}

interface Parts extends Opened {
  readonly key: Uint8Array;
  readonly sql: ReturnType<typeof statements>;
  readonly journal: Journal;
}

/** What a look needs of the store. */
export type StateStore = Keys & Pick<Store, "load" | "paths" | "forget" | "baseline" | "record" | "transaction">;

/**
 * What bpfink knows: the state of every file, the lines that tell of changes, and the key of its
 * fingerprints. Every method throws BpfinkError (status 4), and then nothing of it was done.
 */
export class Store implements Keys, Disposable {
  readonly #path: string;
  #options: JournalOptions;
  readonly expectations: Expectations;
  #parts: Parts;
  /** Of the file; undefined while there is none in use. */
  #health: FileHealth | undefined;
  /** What an error told of the file. */
  #trouble: Trouble | undefined;
  /** The last line of the file when something else took its place; undefined where it was set aside. */
  #left: Journal["head"] | undefined;
  #isOpen = true;

  /** `path`: a file, made if missing, or ":memory:". */
  static open(path: string, options: JournalOptions = {}): Store {
    return Store.#of(path, openDatabase(path), options);
  }

  /** Like open(), but a file that is no sound database is set aside, and one that has gone is told of. */
  static openAnyway(path: string, options: JournalOptions): { readonly store: Store; readonly found?: Recovery } {
    const isOurs = path !== MEMORY && isMarked(path);
    const isGone = isOurs && wasUsed(path);
    const lost = { isWhole: false, inMemory: false };
    try {
      const store = Store.open(path, options);
      return isGone ? { store, found: { trouble: "was deleted", ...lost } } : { store };
    } catch (error) {
      if (!isUnsound((error as Error).cause)) throw error;
      if (!isOurs) throw error; // somebody's file, named by mistake: it stays where it is
      const moved = setAside(path);
      return { store: Store.open(path, options), found: { trouble: "is damaged", setAside: moved, ...lost } };
    }
  }

  /** To read from, also while another bpfink uses it; what would write throws. The file must exist. */
  static openReadOnly(path: string): Store {
    return Store.#of(path, { database: openBeside(path, "read"), claim: undefined }, {});
  }

  static #of(path: string, opened: Opened, options: JournalOptions): Store {
    try {
      return new Store(path, opened, options);
    } catch (error) {
      opened.database.close();
      opened.claim?.[Symbol.dispose]();
      throw databaseError(path, error);
    }
  }

  private constructor(path: string, opened: Opened, options: JournalOptions) {
    this.#path = path;
    this.#options = options;
    this.#parts = partsOf(path, opened, options);
    this.expectations = new Expectations(path, opened.database, (error) => this.#note(error));
    if (path !== MEMORY) this.#health = new FileHealth(path);
  }

  readonly fingerprint = (secret: string): string => this.#hmac("fingerprint", secret).slice(0, 8);

  readonly keyedDigest = (content: string | Uint8Array): string => `keyed:${this.#hmac("digest", content)}`;

  load(path: string): State | undefined {
    return this.#do(() => {
      const row = this.#parts.sql.load.get(keyOf(path));
      return row === null ? undefined : stateOf(row.state);
    });
  }

  /** The paths that have a state, in order: all, or those that are wanted, of which the caller is asked one by one. */
  paths(isWanted: (path: string) => boolean = () => true): string[] {
    return this.#do(() => {
      const wanted: string[] = [];
      for (const row of this.#parts.sql.paths.iterate()) {
        const path = pathOf(row.path);
        if (isWanted(path)) wanted.push(path);
      }
      return wanted;
    });
  }

  /** How many paths have a state. */
  get size(): number {
    return this.#do(() => Number(this.#parts.sql.size.get()?.count ?? 0));
  }

  forget(path: string): void {
    this.#do(() => this.#parts.sql.forget.run(keyOf(path)));
  }

  /** A state that no line tells of: the first one of a file. */
  baseline(path: string, state: State): void {
    this.#do(() => this.#parts.sql.save.run(keyOf(path), JSON.stringify(state)));
  }

  /** New states and the lines that tell of them, in one transaction. */
  record(...changes: readonly Change[]): Entry[] {
    return this.#transaction(() =>
      changes.map(({ path, state, line }) => {
        this.#parts.sql.save.run(keyOf(path), JSON.stringify(state));
        return this.#parts.journal.insert(line);
      }),
    );
  }

  /** A line of the monitor's own, which tells of no file. */
  append(line: (seq: number) => string): Entry {
    return this.#transaction(() => this.#parts.journal.insert(line));
  }

  /** Lines that no sink has taken yet, oldest first. */
  undelivered(afterSeq: number, limit: number): Entry[] {
    return this.#do(() => this.#parts.journal.undelivered(afterSeq, limit));
  }

  /** The sinks have taken every line up to this one. */
  delivered(seq: number): void {
    this.#transaction(() => {
      this.#parts.journal.delivered(seq);
      this.#parts.journal.prune();
    });
  }

  /** How long lines are kept from now on. */
  retain(retention: Retention): void {
    this.#use({ ...this.#options, retention });
  }

  /** Lines to come are chained with this key; undefined: without one. */
  rekey(chainKey: Uint8Array | undefined): void {
    this.#use({ ...this.#options, chainKey });
  }

  /** Takes a step in dropping old lines. Returns whether there may be more to drop. */
  prune(): boolean {
    return this.#transaction(() => this.#parts.journal.prune());
  }

  /** Everything that `body` does with the store, or nothing of it when it throws. */
  transaction<T>(body: () => T): T {
    return this.#transaction(body);
  }

  /**
   * Looks after the file: to be called now and then. Where the database was deleted or broken, it is
   * made anew, of what can still be read; where it cannot be written, memory takes its place until it
   * can. Returns what happened, if anything did.
   */
  tend(): Recovery | undefined {
    if (this.#path === MEMORY || !this.#isOpen || this.#parts.database.inTransaction) return undefined;
    if (this.#health === undefined) return this.#returnToFile();
    const trouble = this.#trouble ?? this.#health.trouble();
    this.#trouble = undefined;
    return trouble === undefined ? undefined : this.#recover(trouble);
  }

  /** Everything is in the one file then, without -wal and -shm. */
  close(): void {
    if (!this.#isOpen) return;
    if (this.#path !== MEMORY && this.#health === undefined) this.#returnToFile();
    this.#isOpen = false;
    try {
      finalize(this.#parts);
      this.expectations[Symbol.dispose]();
      this.#parts.database.close(true);
    } catch (error) {
      throw databaseError(this.#path, error);
    } finally {
      this.#parts.claim?.[Symbol.dispose]();
    }
  }

  #use(options: JournalOptions): void {
    this.#options = options;
    this.#parts.journal.use(options);
  }

  #recover(trouble: Trouble): Recovery {
    const old = this.#parts;
    let moved: string | undefined;
    let opened: Opened | undefined;
    let why: string | undefined;
    if (trouble !== "cannot be written") {
      try {
        refuseOther(this.#path, old.claim);
        moved = setAside(this.#path);
        opened = openDatabase(this.#path);
      } catch (error) {
        why = messageOf(databaseError(this.#path, error)); // memory it is
      }
    }
    const inMemory = opened === undefined;
    this.#left = moved === undefined ? old.journal.head : undefined;
    opened ??= {
      database: openDatabase(MEMORY).database,
      claim: inMemory && moved === undefined ? old.claim : undefined,
    };
    const isWhole = attempt(() => transfer(old.database, opened.database, inMemory ? "undelivered" : "all"));
    if (!isWhole) {
      copySecret(old.key, opened.database);
      opened.database.transaction(() => salvageStates(old.database, opened.database))();
    }
    this.#exchange(opened, inMemory);
    // what was printed and what will be is one chain
    if (!isWhole) this.#parts.journal.continue(old.journal.head);
    return { trouble, setAside: moved, isWhole, inMemory, why };
  }

  #returnToFile(): Recovery | undefined {
    const { database, claim } = this.#parts;
    claim?.[Symbol.dispose]();
    let opened: Opened | undefined;
    try {
      opened = openDatabase(this.#path);
      let moved: string | undefined;
      if (!isAsLeft(opened.database, this.#left)) {
        closeQuietly(opened.database);
        closeQuietly(opened.claim);
        moved = setAside(this.#path);
        opened = openDatabase(this.#path);
      }
      transfer(database, opened.database, "all");
      this.#exchange(opened, false);
      const trouble = moved === undefined ? "can be written again" : "was used by another bpfink meanwhile";
      return { trouble, setAside: moved, isWhole: true, inMemory: false };
    } catch {
      closeQuietly(opened?.database);
      closeQuietly(opened?.claim);
      return undefined;
    }
  }

  #exchange(opened: Opened, inMemory: boolean): void {
    const old = this.#parts;
    this.#parts = partsOf(this.#path, opened, this.#options);
    this.#health = inMemory ? undefined : new FileHealth(this.#path);
    this.expectations.use(opened.database);
    attempt(() => finalize(old));
    closeQuietly(old.database);
    if (opened.claim !== old.claim) old.claim?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hmac(purpose: string, content: string | Uint8Array): string {
    return createHmac("sha256", this.#parts.key).update(`${purpose}\0`).update(content).digest("hex");
  }

  #transaction<T>(body: () => T): T {
    return this.#do(() => {
      const { database, journal } = this.#parts;
      const result = database.transaction(body).immediate();
      if (!database.inTransaction) journal.committed();
      return result;
    });
  }

  #do<T>(body: () => T): T {
    if (!this.#isOpen) throw unusable(this.#path, "is closed", "report this as a bug");
    try {
      return body();
    } catch (error) {
      this.#note(error);
      throw databaseError(this.#path, error);
    }
  }

  #note(error: unknown): void {
    this.#trouble ??= troubleOf(error);
  }
}

/** No consumer's own, for what it lacks. */
const UNREADABLE: State = { consumer: "generic" };

/** What cannot be compared with is a difference, not a reason to look away: somebody wrote into the database. */
function stateOf(text: string): State {
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state === "object" && state !== null) return state as State;
  } catch {
    // the same
  }
  return UNREADABLE;
}

/** Throws if what is at the path is another bpfink's by now. */
function refuseOther(path: string, ours: FileLock | undefined): void {
  if (existsSync(path) && ours?.isAt(path) !== true) claimFile(path, path)?.[Symbol.dispose]();
}

/** Returns whether it worked. */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function partsOf(path: string, { database, claim }: Opened, options: JournalOptions): Parts {
  const sql = statements(database);
  const key = sql.key.get()?.key;
  if (key === undefined) throw unusable(path, "has lost its key", MOVE_AWAY);
  return { database, claim, sql, key, journal: new Journal(database, options) };
}

function finalize({ sql, journal }: Parts): void {
  for (const statement of Object.values(sql)) statement.finalize();
  journal.close();
}

function statements(database: Database) {
  return {
    key: prepare<{ key: Uint8Array }>(database, "SELECT key FROM secret"),
    load: prepare<{ state: string }, [path: string]>(database, "SELECT state FROM state WHERE path = ?"),
    paths: prepare<{ path: string }>(database, "SELECT path FROM state ORDER BY path"),
    size: prepare<{ count: bigint }>(database, "SELECT count(*) AS count FROM state"),
    forget: prepare<void, [path: string]>(database, "DELETE FROM state WHERE path = ?"),
    save: prepare<void, [path: string, state: string]>(
      database,
      "INSERT OR REPLACE INTO state (path, state) VALUES (?, ?)",
    ),
  };
}

/** SQLite's text is UTF-8: a path that is not (src/paths.ts) is kept as its JSON, which begins with a quote. */
const keyOf = (path: string): string => (path.isWellFormed() ? path : JSON.stringify(path));
const pathOf = (key: string): string => (key.startsWith('"') ? (JSON.parse(key) as string) : key);
