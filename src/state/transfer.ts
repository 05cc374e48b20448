import type { Database } from "bun:sqlite";
import { prepare } from "./statement.ts";

interface Chain {
  readonly seq: bigint;
  readonly hash: string;
  readonly anchor_seq: bigint;
  readonly anchor_hash: string;
}

const chainOf = (database: Database): Chain => {
  const row = prepare<Chain>(database, "SELECT seq, hash, anchor_seq, anchor_hash FROM chain").get();
  if (row === null) throw Object.assign(new Error("the chain has no head"), { code: "SQLITE_CORRUPT" });
  return row;
};

/**
 * Brings one database to what another holds, in one transaction: key, states, expectations, and the lines that it
 * does not have. `to` is new, or what `from` was made of.
 *
 * @param lines `undelivered`: the rest is left behind, and the chain hangs on the last line that is
 */
export function transfer(from: Database, to: Database, lines: "all" | "undelivered"): void {
  to.transaction(() => {
    const key = from.query<{ key: Uint8Array }, []>("SELECT key FROM secret").get()?.key;
    if (key !== undefined) copySecret(key, to);
    to.run("DELETE FROM state");
    const save = to.prepare("INSERT INTO state (path, state) VALUES (?, ?)");
    const states = prepare<{ path: string; state: string }>(from, "SELECT path, state FROM state");
    for (const { path, state } of states.iterate()) save.run(path, state);
    to.run("DELETE FROM expectation");
    const columns = ["id", "reason", "by", "paths", "begins", "until", "news", "ended"] as const;
    const list = columns.map((name) => `"${name}"`).join(", ");
    const expect = to.prepare(`INSERT INTO expectation (${list}) VALUES (${columns.map(() => "?").join(", ")})`);
    const expectations = prepare<Record<(typeof columns)[number], string | bigint>>(
      from,
      `SELECT ${list} FROM expectation`,
    );
    for (const row of expectations.iterate()) expect.run(...columns.map((name) => row[name]));
    const { seq, hash, ...anchor } = chainOf(from);
    const before = chainOf(to);
    const first = lines === "all" ? anchor.anchor_seq : firstUndelivered(from) - 1n;
    // where lines in between are gone, the chain begins anew behind them
    const isNew = before.seq === 0n || before.seq < anchor.anchor_seq;
    if (isNew) {
      to.run("DELETE FROM journal");
      const hashOf = "SELECT line ->> '$.hash' AS hash FROM journal WHERE seq = ?";
      const kept = prepare<{ hash: string | null }, [bigint]>(from, hashOf).get(first)?.hash;
      const at = kept == null ? { seq: anchor.anchor_seq, hash: anchor.anchor_hash } : { seq: first, hash: kept };
      to.prepare("UPDATE chain SET anchor_seq = ?, anchor_hash = ?").run(at.seq, at.hash);
    }
    const rows = prepare<{ seq: bigint; line: string; delivered: bigint }, [bigint]>(
      from,
      "SELECT seq, line, delivered FROM journal WHERE seq > ? ORDER BY seq",
    );
    const insert = to.prepare(
      "INSERT INTO journal (seq, line, delivered) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET delivered = excluded.delivered",
    );
    to.prepare("UPDATE journal SET delivered = 1 WHERE seq < ?").run(firstUndelivered(from));
    for (const row of rows.iterate(isNew ? first : anchor.anchor_seq)) insert.run(row.seq, row.line, row.delivered);
    to.prepare(
      "UPDATE chain SET seq = ?, hash = ?, bytes = (SELECT coalesce(sum(octet_length(line)), 0) FROM journal)",
    ).run(seq, hash);
  }).immediate();
}

/**
 * Whether a database is empty, or its last line is still the one that it was: else somebody went on with it, and its
 * lines and ours are two chains.
 */
export function isAsLeft(
  database: Database,
  left: { readonly seq: number; readonly hash: string } | undefined,
): boolean {
  const { seq, hash } = chainOf(database);
  if (seq === 0n) return prepare(database, "SELECT 1 FROM state").get() === null;
  return left !== undefined && Number(seq) === left.seq && hash === left.hash;
}

/** Brings over what states can still be read of a broken database, from both ends of the table. Returns how many. */
export function salvageStates(from: Database, to: Database): number {
  const save = to.prepare("INSERT OR IGNORE INTO state (path, state) VALUES (?, ?)");
  let saved = 0;
  for (const order of ["ASC", "DESC"]) {
    try {
      const states = prepare<{ path: string; state: string }>(
        from,
        `SELECT path, state FROM state ORDER BY path ${order}`,
      );
      for (const { path, state } of states.iterate()) saved += save.run(path, state).changes;
    } catch {
      // as far as here
    }
  }
  return saved;
}

/** Fingerprints go on being comparable. */
export function copySecret(key: Uint8Array, to: Database): void {
  to.prepare("UPDATE secret SET key = ?").run(key);
}

function firstUndelivered(database: Database): bigint {
  const sql = "SELECT coalesce(min(seq), (SELECT seq + 1 FROM chain)) AS seq FROM journal WHERE delivered = 0";
  return prepare<{ seq: bigint }>(database, sql).get()!.seq;
}
