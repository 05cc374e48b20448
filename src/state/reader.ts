import type { Database } from "bun:sqlite";
import { unseal } from "./chain.ts";
import { databaseError } from "./errors.ts";
import { openBeside } from "./open.ts";
import { prepare } from "./statement.ts";

/** Lines read at a time. */
const BATCH = 256;

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

  /** So many of the lines behind a number, in order. */
  after(seq: number, limit: number): string[] {
    return this.#do(() => {
      const sql = "SELECT line FROM journal WHERE seq > ? ORDER BY seq LIMIT ?";
      return prepare<{ line: string }, [number, number]>(this.#database, sql)
        .all(seq, limit)
        .map(({ line }) => line);
    });
  }

  /** Every line of the chain that is kept, in order. */
  *chain(): Generator<string> {
    const sql = "SELECT line FROM journal WHERE seq > ? ORDER BY seq";
    try {
      const statement = prepare<{ line: string }, [number]>(this.#database, sql);
      for (const { line } of statement.iterate(this.anchor.seq)) yield line;
      statement.finalize();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }

  /**
   * Lines of some time, in order. Not of one moment: who reads them in a pager may take days, and a snapshot would
   * keep all that is written meanwhile in the -wal.
   *
   * @param since, until RFC 3339 in UTC; the end does not belong to it
   */
  *between(since: string, until: string): Generator<string> {
    const time = "line ->> '$.time' >= ? AND line ->> '$.time' < ?";
    const seqs = this.#do(() => {
      const sql = `SELECT seq FROM journal WHERE ${time} ORDER BY seq`;
      const found = prepare<{ seq: bigint }, [string, string]>(this.#database, sql).all(since, until);
      if (this.#database.inTransaction) this.#database.run("COMMIT");
      return found.map(({ seq }) => Number(seq));
    });
    const sql = `SELECT line FROM journal NOT INDEXED WHERE seq BETWEEN ? AND ? AND ${time} ORDER BY seq`;
    const lines = prepare<{ line: string }, [number, number, string, string]>(this.#database, sql);
    for (let at = 0; at < seqs.length; at += BATCH) {
      const [first, last] = [seqs[at]!, seqs[Math.min(at + BATCH, seqs.length) - 1]!];
      for (const { line } of this.#do(() => lines.all(first, last, since, until))) yield line;
    }
    lines.finalize();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #do<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw databaseError(this.#path, error);
    }
  }
}
