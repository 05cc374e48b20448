// A database of every older version, made by that version's own schema, opens with all that it holds.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GENESIS } from "../../../src/state/chain.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../../src/state/schema.ts";
import { Store } from "../../../src/state/store.ts";

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bpfink-migrations-"));
  path = join(directory, "bpfink.db");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Makes a database as that version left it. */
function made(version: number, ...sql: string[]): void {
  using database = new Database(path);
  for (const text of sql) database.run(text);
  database.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.run(`PRAGMA user_version = ${version}`);
}

/** What a query gives, asked with another connection. */
function ask(sql: string): unknown[] {
  using database = new Database(path, { readonly: true });
  return database.query(sql).all();
}

const SCHEMA_1 = `
  CREATE TABLE secret (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
  ) STRICT;
  CREATE TABLE state (
    path  TEXT PRIMARY KEY,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    line      TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1))
  ) STRICT;
  CREATE INDEX journal_outbox ON journal (seq) WHERE delivered = 0;
`;

const lineOf = (seq: number) => `{"time":"2026-11-23T20:17:18.276502Z","seq":${seq},"action":"é"}`;

test("version 1: states, the key, and lines as they were printed; the chain begins behind them", () => {
  const key = "ab".repeat(32);
  const journal = [1, 2, 3].map((seq) => `(${seq}, '${lineOf(seq)}', ${seq < 3 ? 1 : 0})`);
  made(
    1,
    SCHEMA_1,
    `INSERT INTO secret VALUES (1, x'${key}')`,
    `INSERT INTO state VALUES ('/a', '{"consumer":"generic"}')`,
    `INSERT INTO journal VALUES (0, '', 1), ${journal.join()}`,
    "DELETE FROM journal WHERE seq = 0",
  );
  using store = Store.open(path);
  expect([store.paths(), store.load("/a")]).toEqual([["/a"], { consumer: "generic" }]);
  expect(store.undelivered(0, 9)).toEqual([{ seq: 3, line: lineOf(3) }]);
  const { seq, line } = store.append(lineOf);
  expect([seq, JSON.parse(line).prev]).toEqual([4, GENESIS]);
  expect(ask("SELECT hex(key) AS key FROM secret")).toEqual([{ key: key.toUpperCase() }]);
  const bytes = 3 * Buffer.byteLength(lineOf(1)) + Buffer.byteLength(line);
  expect(ask("SELECT * FROM chain")).toEqual([
    { id: 1, seq: 4, hash: JSON.parse(line).hash, anchor_seq: 3, anchor_hash: GENESIS, bytes },
  ]);
});

test("version 1, empty", () => {
  made(1, SCHEMA_1, `INSERT INTO secret VALUES (1, zeroblob(32))`);
  using store = Store.open(path);
  expect(store.append(lineOf).seq).toBe(1);
});

const SCHEMA_2 = `
  ${SCHEMA_1}
  CREATE TABLE chain (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    anchor_seq  INTEGER NOT NULL,
    anchor_hash TEXT NOT NULL,
    bytes       INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX journal_time ON journal (line ->> '$.time');
`;

test("version 2: the chain goes on; nothing is expected", () => {
  const head = "cd".repeat(32);
  const row = `INSERT INTO chain VALUES (1, 7, '${head}', 7, '${head}', 0)`;
  made(2, SCHEMA_2, `INSERT INTO secret VALUES (1, zeroblob(32))`, row);
  using store = Store.open(path);
  expect([store.expectations.at(Date.now()), store.expectations.news()]).toEqual([[], []]);
  expect(JSON.parse(store.append(lineOf).line).prev).toBe(head);
});

test("every step has a test of the version that it begins at", () => {
  const tested = [1, 2];
  expect(tested).toEqual(Array.from({ length: MIGRATIONS.length - 1 }, (_, i) => i + 1));
});
