import type { Database } from "bun:sqlite";
import { seal, unseal } from "./chain.ts";
import { prepare } from "./statement.ts";

/** A line as it is in the journal. */
export interface Entry {
  readonly seq: number;
  readonly line: string;
}

/** How long lines are kept for `history` once they are delivered. */
export interface Retention {
  /** Milliseconds. */
  readonly age: number;
  /** Of all lines together. */
  readonly bytes: number;
}

export interface JournalOptions {
  readonly retention?: Retention;
  /** Key of the chain; without one its hashes are plain. */
  readonly chainKey?: Uint8Array | undefined;
}

const EVERYTHING: Retention = { age: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** Lines dropped in one transaction: 2 ms. More than a batch of the sink, so that dropping overtakes adding. */
const PRUNE_STEP = 256;

/**
 * The lines, chained, in the order in which they are printed. A number is never used twice. Every
 * method is to be called in a transaction.
 */
export class Journal {
  readonly #sql: ReturnType<typeof statements>;
  #retention: Retention;
  #key: Uint8Array | undefined;
  #last: { readonly seq: number; readonly hash: string };
  #committed: { readonly seq: number; readonly hash: string };

  constructor(database: Database, options: JournalOptions) {
    this.#sql = statements(database);
    this.#retention = options.retention ?? EVERYTHING;
    this.#key = options.chainKey;
    const { seq, hash } = this.#chain();
    this.#last = this.#committed = { seq: Number(seq), hash };
  }

  /** From now on: which lines are kept, and the key of those to come. */
  use({ retention = EVERYTHING, chainKey }: JournalOptions): void {
    this.#retention = retention;
    this.#key = chainKey;
  }

  insert(makeLine: (seq: number) => string): Entry {
    const head = this.#chain();
    const seq = Number(head.seq) + 1;
    const { line, hash } = seal(makeLine(seq), head.hash, this.#key);
    this.#sql.insert.run(seq, line);
    this.#sql.setHead.run(seq, hash, Buffer.byteLength(line));
    this.#last = { seq, hash };
    return { seq, line };
  }

  /** The transaction was committed. */
  committed(): void {
    this.#committed = this.#last;
  }

  /** The last line for certain, also when the database can no longer be asked. */
  get head(): { readonly seq: number; readonly hash: string } {
    return this.#committed;
  }

  /** Goes on behind a line that another database held. */
  continue({ seq, hash }: { readonly seq: number; readonly hash: string }): void {
    this.#sql.setHead.run(seq, hash, 0);
    this.#sql.setAnchor.run(seq, hash);
    this.#last = this.#committed = { seq, hash };
  }

  undelivered(afterSeq: number, limit: number): Entry[] {
    return this.#sql.undelivered.all(afterSeq, limit).map(({ seq, line }) => ({ seq: Number(seq), line }));
  }

  delivered(seq: number): void {
    this.#sql.deliver.run(seq);
  }

  /**
   * Drops the oldest lines, some at a time, while they are too old or all are too many, but none that
   * was not delivered. The last one dropped becomes the anchor that the chain of the rest hangs on.
   * Returns whether there may be more to drop.
   *
   * @param now milliseconds since the epoch
   */
  prune(now = Date.now()): boolean {
    const { age } = this.#retention;
    const oldest = age === Number.POSITIVE_INFINITY ? "" : new Date(now - age).toISOString();
    let excess = Number(this.#chain().bytes) - this.#retention.bytes;
    let last: { readonly seq: bigint; readonly line: string } | undefined;
    let count = 0;
    let bytes = 0;
    for (const row of this.#sql.oldest.iterate(PRUNE_STEP)) {
      if (row.delivered === 0n || (excess <= 0 && row.time >= oldest)) break;
      last = row;
      count++;
      bytes += Number(row.bytes);
      excess -= Number(row.bytes);
    }
    if (last === undefined) return false;
    this.#sql.drop.run(last.seq);
    this.#sql.setBytes.run(-bytes);
    const link = unseal(Buffer.from(last.line));
    if (link !== undefined) this.#sql.setAnchor.run(link.seq, link.hash);
    return count === PRUNE_STEP;
  }

  close(): void {
    for (const statement of Object.values(this.#sql)) statement.finalize();
  }

  #chain(): { readonly seq: bigint; readonly hash: string; readonly bytes: bigint } {
    const row = this.#sql.chain.get();
    if (row === null) throw Object.assign(new Error("the chain has no head"), { code: "SQLITE_CORRUPT" });
    return row;
  }
}

function statements(database: Database) {
  return {
    chain: prepare<{ seq: bigint; hash: string; bytes: bigint }>(database, "SELECT seq, hash, bytes FROM chain"),
    setHead: prepare<void, [seq: number, hash: string, bytes: number]>(
      database,
      "UPDATE chain SET seq = ?, hash = ?, bytes = bytes + ?",
    ),
    setAnchor: prepare<void, [seq: number, hash: string]>(database, "UPDATE chain SET anchor_seq = ?, anchor_hash = ?"),
    setBytes: prepare<void, [change: number]>(database, "UPDATE chain SET bytes = bytes + ?"),
    insert: prepare<void, [seq: number, line: string]>(database, "INSERT INTO journal (seq, line) VALUES (?, ?)"),
    undelivered: prepare<{ seq: bigint; line: string }, [afterSeq: number, limit: number]>(
      database,
      "SELECT seq, line FROM journal WHERE delivered = 0 AND seq > ? ORDER BY seq LIMIT ?",
    ),
    deliver: prepare<void, [seq: number]>(
      database,
      "UPDATE journal SET delivered = 1 WHERE delivered = 0 AND seq <= ?",
    ),
    oldest: prepare<{ seq: bigint; line: string; time: string; bytes: bigint; delivered: bigint }, [limit: number]>(
      database,
      "SELECT seq, line, line ->> '$.time' AS time, octet_length(line) AS bytes, delivered FROM journal ORDER BY seq LIMIT ?",
    ),
    drop: prepare<void, [seq: bigint]>(database, "DELETE FROM journal WHERE seq <= ?"),
  };
}
