import { createHmac } from "node:crypto";
import type { Database } from "bun:sqlite";
import type { Keys, State } from "../consumers/consumer.ts";
import { databaseError, MOVE_AWAY, unusable } from "./errors.ts";
import { Expectations } from "./expectations.ts";
import { type Entry, Journal, type JournalOptions } from "./journal.ts";
import { openBeside, openDatabase, type Opened } from "./open.ts";
import { prepare } from "./statement.ts";

/** A change to be recorded: the state from now on, and the line that tells of it. */
export interface Change {
  readonly path: string;
  readonly state: State;
  /** Makes the line from the sequence number that it got; the chain's keys are put in by the journal. */
  readonly line: (seq: number) => string;
}

/** What a look needs of the store. */
export type StateStore = Keys & Pick<Store, "load" | "paths" | "forget" | "baseline" | "record" | "transaction">;

/**
 * What bpfink knows: the state of every file, the lines that tell of changes, and the key of its
 * fingerprints. Every method throws BpfinkError (status 4), and then nothing of it was done.
 */
export class Store implements Keys, Disposable {
  readonly #path: string;
  readonly #database: Database;
  readonly #claim: Database | undefined;
  readonly #key: Uint8Array;
  readonly #sql: ReturnType<typeof statements>;
  readonly #journal: Journal;
  readonly expectations: Expectations;
  #isOpen = true;

  /** `path`: a file, made if missing, or ":memory:". */
  static open(path: string, options: JournalOptions = {}): Store {
    return Store.#of(path, openDatabase(path), options);
  }

  /** To read from, also while another bpfink uses it; what would write throws. The file must exist. */
  static openReadOnly(path: string): Store {
    return Store.#of(path, { database: openBeside(path, "read"), claim: undefined }, {});
  }

  static #of(path: string, { database, claim }: Opened, options: JournalOptions): Store {
    try {
      return new Store(path, database, claim, options);
    } catch (error) {
      database.close();
      claim?.close();
      throw databaseError(path, error);
    }
  }

  private constructor(path: string, database: Database, claim: Database | undefined, options: JournalOptions) {
    this.#path = path;
    this.#database = database;
    this.#claim = claim;
    this.#sql = statements(database);
    this.#journal = new Journal(database, options);
    this.expectations = new Expectations(path, database);
    const key = this.#sql.key.get()?.key;
    if (key === undefined) throw unusable(path, "has lost its key", MOVE_AWAY);
    this.#key = key;
  }

  readonly fingerprint = (secret: string): string => this.#hmac("fingerprint", secret).slice(0, 8);

  readonly keyedDigest = (content: string | Uint8Array): string => `keyed:${this.#hmac("digest", content)}`;

  load(path: string): State | undefined {
    return this.#do(() => {
      const row = this.#sql.load.get(keyOf(path));
      return row === null ? undefined : this.#parse(row.state);
    });
  }

  /** Every path that has a state, in order. */
  paths(): string[] {
    return this.#do(() => this.#sql.paths.all().map(({ path }) => pathOf(path)));
  }

  forget(path: string): void {
    this.#do(() => this.#sql.forget.run(keyOf(path)));
  }

  /** A state that no line tells of: the first one of a file. */
  baseline(path: string, state: State): void {
    this.#do(() => this.#sql.save.run(keyOf(path), JSON.stringify(state)));
  }

  /** New states and the lines that tell of them, in one transaction. */
  record(...changes: readonly Change[]): Entry[] {
    return this.#transaction(() =>
      changes.map(({ path, state, line }) => {
        this.#sql.save.run(keyOf(path), JSON.stringify(state));
        return this.#journal.insert(line);
      }),
    );
  }

  /** A line of the monitor's own, which tells of no file. */
  append(line: (seq: number) => string): Entry {
    return this.#transaction(() => this.#journal.insert(line));
  }

  /** Lines that no sink has taken yet, oldest first. */
  undelivered(afterSeq: number, limit: number): Entry[] {
    return this.#do(() => this.#journal.undelivered(afterSeq, limit));
  }

  /** The sinks have taken every line up to this one. */
  delivered(seq: number): void {
    this.#transaction(() => {
      this.#journal.delivered(seq);
      this.#journal.prune();
    });
  }

  /** Takes a step in dropping old lines. Returns whether there may be more to drop. */
  prune(): boolean {
    return this.#transaction(() => this.#journal.prune());
  }

  /** Everything that `body` does with the store, or nothing of it when it throws. */
  transaction<T>(body: () => T): T {
    return this.#transaction(body);
  }

  /** Everything is in the one file then, without -wal and -shm. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      for (const statement of Object.values(this.#sql)) statement.finalize();
      this.#journal.close();
      this.expectations[Symbol.dispose]();
      this.#database.close(true);
    } catch (error) {
      throw databaseError(this.#path, error);
    } finally {
      this.#claim?.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #parse(state: string): State {
    try {
      return JSON.parse(state) as State;
    } catch (error) {
      throw unusable(this.#path, "is damaged: a state in it is not JSON", MOVE_AWAY, error);
    }
  }

  #hmac(purpose: string, content: string | Uint8Array): string {
    return createHmac("sha256", this.#key).update(`${purpose}\0`).update(content).digest("hex");
  }

  #transaction<T>(body: () => T): T {
    return this.#do(() => this.#database.transaction(body).immediate());
  }

  #do<T>(body: () => T): T {
    if (!this.#isOpen) throw unusable(this.#path, "is closed", "report this as a bug");
    try {
      return body();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }
}

function statements(database: Database) {
  return {
    key: prepare<{ key: Uint8Array }>(database, "SELECT key FROM secret"),
    load: prepare<{ state: string }, [path: string]>(database, "SELECT state FROM state WHERE path = ?"),
    paths: prepare<{ path: string }>(database, "SELECT path FROM state ORDER BY path"),
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
