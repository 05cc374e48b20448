// A year's worth of lines goes through the store, and the database does not grow beyond what is kept.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JournalReader } from "../../../src/state/reader.ts";
import { Store } from "../../../src/state/store.ts";
import { Verifier } from "../../../src/state/verifier.ts";

const DAYS = 365;
const LINES_A_DAY = 100;
const DAY = 86_400_000;
/** Of a common line: a short diff, one process. */
const TEXT = "x".repeat(600);
const KEPT_BYTES = 4 * 1024 ** 2;

test("a year of 100 lines a day: the file stays as small as what is kept, and that is a whole chain", () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-year-"));
  try {
    const path = join(directory, "bpfink.db");
    const sizes: number[] = [];
    const begin = Date.now() - DAYS * DAY;
    using store = Store.open(path, { retention: { age: 400 * DAY, bytes: KEPT_BYTES } });
    for (let day = 0; day < DAYS; day++) {
      const time = new Date(begin + day * DAY).toISOString().replace("Z", "000Z");
      const line = (seq: number) => JSON.stringify({ time, seq, action: "modified", file: `/etc/${seq % 100}`, TEXT });
      const change = (i: number) => ({ path: `/etc/${i % 100}`, state: { consumer: "generic", i } as const, line });
      const last = store.record(...Array.from({ length: LINES_A_DAY }, (_, i) => change(i))).at(-1)!;
      store.delivered(last.seq);
      sizes.push(statSync(path).size + statSync(`${path}-wal`).size);
    }
    while (store.prune());
    // a third more than the lines for pages that are not full and the index of times, and the log of SQLite
    expect(Math.max(...sizes)).toBeLessThan(KEPT_BYTES * 1.4 + 6 * 1024 ** 2);
    expect(sizes.at(-1)).toBeLessThan(1.05 * Math.max(...sizes.slice(0, DAYS / 2)));

    using journal = new JournalReader(path);
    const verifier = new Verifier([], journal.anchor);
    for (const line of journal.chain()) verifier.add(Buffer.from(line));
    verifier.end();
    expect(verifier.findings).toEqual([]);
    expect(verifier.last).toEqual(journal.head);
    expect(journal.head.seq).toBe(DAYS * LINES_A_DAY);
    const bytes = [...journal.chain()].reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    expect(bytes).toBeWithin(0.9 * KEPT_BYTES, KEPT_BYTES + 1);
    expect(journal.anchor.seq).toBe(journal.head.seq - verifier.lines);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 30_000);
