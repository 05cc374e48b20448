import type { Database } from "bun:sqlite";
import { databaseError } from "./errors.ts";
import { openBeside } from "./open.ts";
import { prepare } from "./statement.ts";

/** Changes that somebody said were to come. */
export interface Expectation {
  readonly reason: string;
  /** Who said so: a user's name. */
  readonly by: string;
  /** Paths, with all below them, and globs; none: everything. */
  readonly paths: readonly string[];
  /** Milliseconds since the epoch. */
  readonly begins: number;
  readonly until: number;
}

/** An expectation that no line tells of yet. */
export interface News extends Expectation {
  readonly id: number;
  /** It was ended before its time, at `until`. */
  readonly ended: boolean;
}

/** What is over is kept so long, for events that come late and clocks that are set. Milliseconds. */
const KEPT = 86_400_000;

/** The last moment that a Date can hold. */
const LATEST = 8_640_000_000_000_000n;

interface Row {
  id: bigint;
  reason: string;
  by: string;
  paths: string;
  begins: bigint;
  until: bigint;
  ended: bigint;
}

/**
 * Expectations in the database: `bpfink expect` writes them, the bpfink that watches reads them. They
 * are in a table of their own, so the two never write the same rows but for marking what was told.
 */
export class Expectations implements Disposable {
  readonly #path: string;
  #database: Database;
  #sql: ReturnType<typeof statements>;

  readonly #onError: (error: unknown) => void;
  /** Closed with it; the store's is closed by the store. */
  readonly #own: Database | undefined;

  /** @param onError is told what SQLite says, before it is thrown as the user is to see it */
  constructor(path: string, database: Database, onError: (error: unknown) => void, own?: Database) {
    this.#path = path;
    this.#database = database;
    this.#sql = statements(database);
    this.#onError = onError;
    this.#own = own;
  }

  /** Of a database that another bpfink may be using. */
  static open(path: string): Expectations {
    const database = openBeside(path, "write");
    return new Expectations(path, database, () => {}, database);
  }

  /** Goes on with another database, in place of one that broke. */
  use(database: Database): void {
    for (const statement of Object.values(this.#sql)) statement.finalize();
    this.#database = database;
    this.#sql = statements(database);
  }

  add({ reason, by, paths, begins, until }: Expectation): void {
    this.#do(() =>
      this.#database
        .transaction(() => {
          this.#sql.drop.run(begins - KEPT);
          this.#sql.add.run(reason, by, JSON.stringify(paths), begins, until);
        })
        .immediate(),
    );
  }

  /** Those in force at a time, the newest last. */
  at(time: number): Expectation[] {
    return this.#do(() => this.#sql.at.all(time, time).flatMap(expectationsOf));
  }

  /** Ends all that are in force. Returns how many that were. */
  end(time: number): number {
    return this.#do(() => this.#sql.end.run(time, time, time).changes);
  }

  news(): News[] {
    return this.#do(() => this.#sql.news.all().flatMap(expectationsOf));
  }

  /** A line tells of it now. */
  told(id: number): void {
    this.#do(() => this.#sql.told.run(id));
  }

  [Symbol.dispose](): void {
    for (const statement of Object.values(this.#sql)) statement.finalize();
    this.#own?.close();
  }

  #do<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      this.#onError(error);
      throw databaseError(this.#path, error);
    }
  }
}

/** None of a row that is not ours, so that nobody keeps a change from being told by writing one. */
function expectationsOf({ id, reason, by, paths, begins, until, ended }: Row): News[] {
  const places = pathsOf(paths);
  if (places === undefined || until > LATEST) return [];
  const times = { begins: Number(begins), until: Number(until) };
  return [{ id: Number(id), reason, by, paths: places, ...times, ended: ended !== 0n }];
}

function pathsOf(text: string): string[] | undefined {
  try {
    const paths: unknown = JSON.parse(text);
    const isOurs = Array.isArray(paths) && paths.every((path) => typeof path === "string" && path.startsWith("/"));
    return isOurs ? (paths as string[]) : undefined;
  } catch {
    return undefined;
  }
}

function statements(database: Database) {
  return {
    add: prepare<void, [reason: string, by: string, paths: string, begins: number, until: number]>(
      database,
      "INSERT INTO expectation (reason, by, paths, begins, until) VALUES (?, ?, ?, ?, ?)",
    ),
    at: prepare<Row, [time: number, same: number]>(
      database,
      "SELECT * FROM expectation WHERE begins <= ? AND until > ? ORDER BY id",
    ),
    end: prepare<void, [until: number, begins: number, same: number]>(
      database,
      "UPDATE expectation SET until = ?, ended = 1, news = 1 WHERE begins <= ? AND until > ?",
    ),
    drop: prepare<void, [until: number]>(database, "DELETE FROM expectation WHERE until < ? AND news = 0"),
    news: prepare<Row>(database, "SELECT * FROM expectation WHERE news = 1 ORDER BY id"),
    told: prepare<void, [id: number]>(database, "UPDATE expectation SET news = 0 WHERE id = ?"),
  };
}
