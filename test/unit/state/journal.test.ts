import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { GENESIS, seal } from "../../../src/state/chain.ts";
import { Journal, type JournalOptions } from "../../../src/state/journal.ts";
import { MIGRATIONS } from "../../../src/state/schema.ts";

const DAY = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);

let database: Database;

beforeEach(() => {
  database = new Database(":memory:");
  for (const migration of MIGRATIONS) database.run(migration);
});

afterEach(() => database.close());

const lineAt = (time: number) => (seq: number) =>
  JSON.stringify({ time: new Date(time).toISOString().replace("Z", "000Z"), seq, text: "é".repeat(50) });

const seqs = () =>
  database
    .query<{ seq: number }, []>("SELECT seq FROM journal ORDER BY seq")
    .all()
    .map(({ seq }) => seq);

const chain = () => database.query<Record<string, unknown>, []>("SELECT * FROM chain").get();

/** One line a day, the first `delivered` of them delivered. */
function daily(days: number, delivered: number, options: JournalOptions): Journal {
  const journal = new Journal(database, options);
  for (let day = 0; day < days; day++) journal.insert(lineAt(BEGIN + day * DAY));
  journal.delivered(delivered);
  return journal;
}

test("each line names the hash of the one before it, the first none", () => {
  const journal = new Journal(database, {});
  const [one, two] = [journal.insert(lineAt(BEGIN)), journal.insert(lineAt(BEGIN))];
  const first = seal(lineAt(BEGIN)(1), GENESIS);
  const second = seal(lineAt(BEGIN)(2), first.hash);
  expect([one, two]).toEqual([
    { seq: 1, line: first.line },
    { seq: 2, line: second.line },
  ]);
  const bytes = Buffer.byteLength(first.line + second.line);
  expect(chain()).toEqual({ id: 1, seq: 2, hash: second.hash, anchor_seq: 0, anchor_hash: GENESIS, bytes });
});

describe("pruning", () => {
  test("drops what is too old, and the rest hangs on the last line dropped", () => {
    const journal = daily(10, 10, { retention: { age: 3.5 * DAY, bytes: 1e9 } });
    const [dropped] = database.query<{ line: string }, []>("SELECT line FROM journal WHERE seq = 6").all();
    expect(journal.prune(BEGIN + 9 * DAY)).toBe(false);
    expect(seqs()).toEqual([7, 8, 9, 10]);
    const anchor = { anchor_seq: 6, anchor_hash: JSON.parse(dropped!.line).hash };
    const kept = database.query<{ line: string }, []>("SELECT line FROM journal").all();
    const bytes = kept.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
    expect(chain()).toMatchObject({ ...anchor, bytes });
    expect(JSON.parse(kept[0]!.line).prev).toBe(anchor.anchor_hash);
    expect(journal.prune(BEGIN + 9 * DAY)).toBe(false);
    expect(chain()).toMatchObject({ ...anchor, bytes });
  });

  test("drops the oldest when all are too much", () => {
    const journal = daily(10, 10, { retention: { age: 1000 * DAY, bytes: 1000 } });
    journal.prune(BEGIN + 9 * DAY);
    const { bytes } = chain() as { bytes: number };
    expect(bytes).toBeWithin(600, 1001);
    expect(seqs().at(-1)).toBe(10);
  });

  test("never drops what was not delivered, nor what comes behind it", () => {
    const journal = daily(10, 4, { retention: { age: 0, bytes: 0 } });
    journal.prune(BEGIN + 1000 * DAY);
    expect(seqs()).toEqual([5, 6, 7, 8, 9, 10]);
  });

  test("goes in steps", () => {
    const journal = daily(600, 600, { retention: { age: 0, bytes: 0 } });
    const left: number[] = [];
    for (let more = true; more;) {
      more = journal.prune(BEGIN + 1000 * DAY);
      left.push(seqs().length);
    }
    expect(left).toEqual([344, 88, 0]);
    expect(chain()).toMatchObject({ seq: 600, anchor_seq: 600, bytes: 0, hash: chain()!["anchor_hash"] });
    expect(journal.insert(lineAt(BEGIN)).seq).toBe(601);
  });
});
