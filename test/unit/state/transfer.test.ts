import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { Journal } from "../../../src/state/journal.ts";
import { MIGRATIONS } from "../../../src/state/schema.ts";
import { transfer } from "../../../src/state/transfer.ts";

const line = (seq: number) => `{"time":"2026-11-23T20:17:18.276502Z","seq":${seq},"action":"é"}`;

function empty(): Database {
  const database = new Database(":memory:");
  for (const migration of MIGRATIONS) database.run(migration);
  database.run("INSERT INTO secret VALUES (1, randomblob(32))");
  return database;
}

const tables = (database: Database) =>
  database
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all()
    .map(({ name }) => name);

const contents = (database: Database) =>
  Object.fromEntries(tables(database).map((name) => [name, database.query(`SELECT * FROM ${name}`).all()]));

/** Something in every table: ten lines, two of them dropped, three more delivered. */
function filled(): Database {
  const database = empty();
  const journal = new Journal(database, { retention: { age: Number.POSITIVE_INFINITY, bytes: 0 } });
  for (let i = 0; i < 2; i++) journal.insert(line);
  journal.delivered(2);
  journal.prune();
  for (let i = 0; i < 8; i++) journal.insert(line);
  journal.delivered(5);
  database.run(`INSERT INTO state VALUES ('/a', '{}'), ('/b', '{"x":1}')`);
  database.run("INSERT INTO expectation VALUES (7, 'deploy', 'root', '[]', 1, 2, 1, 0)");
  for (const name of tables(database)) expect([name, contents(database)[name]]).not.toEqual([name, []]);
  return database;
}

test("everything there is comes over, into a new database and into one that it comes from", () => {
  const from = filled();
  const to = empty();
  transfer(from, to, "all");
  expect(contents(to)).toEqual(contents(from));
  const journal = new Journal(from, {});
  journal.delivered(8);
  journal.insert(line);
  from.run("DELETE FROM state WHERE path = '/a'");
  transfer(from, to, "all");
  expect(contents(to)).toEqual(contents(from));
});

test("into memory, lines that were delivered stay behind; back again, the chain is whole", () => {
  const file = filled();
  const memory = empty();
  transfer(file, memory, "undelivered");
  const seqs = (database: Database) => database.query("SELECT seq FROM journal ORDER BY seq").values().flat();
  expect(seqs(memory)).toEqual([6, 7, 8, 9, 10]);
  const [at] = file.query<{ hash: string }, []>("SELECT line ->> '$.hash' AS hash FROM journal WHERE seq = 5").all();
  expect(contents(memory)["chain"]).toMatchObject([{ seq: 10, anchor_seq: 5, anchor_hash: at!.hash }]);
  const journal = new Journal(memory, {});
  journal.delivered(10);
  journal.insert(line);
  transfer(memory, file, "all");
  expect(seqs(file)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const hash = contents(memory)["chain"]?.map((row) => (row as { hash: string }).hash);
  expect(contents(file)["chain"]).toMatchObject([{ seq: 11, hash: hash?.[0], anchor_seq: 2 }]);
  expect(file.query("SELECT seq FROM journal WHERE delivered = 0").values()).toEqual([[11]]);
});
