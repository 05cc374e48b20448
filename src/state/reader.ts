import type { Database } from "bun:sqlite";
import { unseal } from "./chain.ts";
import { databaseError } from "./errors.ts";
import { openBeside } from "./open.ts";
import { prepare } from "./statement.ts";

/** The journal as it is at one moment, beside a bpfink that goes on writing it. Throws BpfinkError (status 4). */
export class JournalReader implements Disposable {
  readonly #path: string;
  readonly #database: Database;
  readonly anchor: { readonly seq: number; readonly hash: string };
  readonly head: { readonly seq: number; readonly hash: string };

  constructor(path: string) {
    this.#path = path;
    this.#database = openBeside(path, "read");
    try {
      this.#database.run("BEGIN"); // the snapshot that all that is read is of
      const chain = this.#database
        .query<{ seq: number; hash: string; anchor_seq: number; anchor_hash: string }, []>("SELECT * FROM chain")
        .get();
      if (chain === null) throw Object.assign(new Error("the chain has no head"), { code: "SQLITE_CORRUPT" });
      this.head = { seq: chain.seq, hash: chain.hash };
      this.anchor = { seq: chain.anchor_seq, hash: chain.anchor_hash };
    } catch (error) {
      this.#database.close();
      throw databaseError(path, error);
    }
  }

  /** Highest number of a line that was printed, for all that is known. */
  delivered(): number {
    return this.#do(() => {
      const sql = "SELECT coalesce(min(seq) - 1, ?) AS seq FROM journal WHERE delivered = 0";
      return this.#database.query<{ seq: number }, [number]>(sql).get(this.head.seq)!.seq;
    });
  }

  hashOf(seq: number): string | undefined {
    if (seq === this.anchor.seq) return this.anchor.hash;
    return this.#do(() => {
      const sql = "SELECT line FROM journal WHERE seq = ?";
      const row = this.#database.query<{ line: string }, [number]>(sql).get(seq);
      return row === null ? undefined : unseal(Buffer.from(row.line))?.hash;
    });
  }

  /** Every line of the chain that is kept, in order. */
  *chain(): Generator<string> {
    yield* this.#lines("seq > ?", this.anchor.seq);
  }

  /** Lines of some time, in order. @param since, until RFC 3339 in UTC; the end does not belong to it */
  *between(since: string, until: string): Generator<string> {
    yield* this.#lines("line ->> '$.time' >= ? AND line ->> '$.time' < ?", since, until);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  *#lines(where: string, ...values: (string | number)[]): Generator<string> {
    try {
      const statement = prepare<{ line: string }, (string | number)[]>(
        this.#database,
        `SELECT line FROM journal WHERE ${where} ORDER BY seq`,
      );
      for (const { line } of statement.iterate(...values)) yield line;
      statement.finalize();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }

  #do<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }
}
