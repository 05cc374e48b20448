import { afterEach, beforeEach, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JournalReader } from "../../../src/state/reader.ts";
import { Store } from "../../../src/state/store.ts";

let directory: string;
let path: string;
let store: Store;

const second = (n: number) =>
  `2026-11-23T20:${String(Math.floor(n / 60)).padStart(2, "0")}:${String(n % 60).padStart(2, "0")}`;
const lineAt = (n: number) => (seq: number) => `{"time":"${second(n)}.000000Z","seq":${seq},"action":"modified"}`;
const seqOf = (line: string) => (JSON.parse(line) as { seq: number }).seq;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bpfink-reader-"));
  path = join(directory, "x.db");
  store = Store.open(path);
  store.transaction(() => {
    for (let n = 0; n < 1000; n++) store.append(lineAt(n));
  });
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

test("lines of some time come in order, though their times do not", () => {
  store.append(lineAt(100)); // seq 1001
  using reader = new JournalReader(path);
  const seqs = (since: string, until: string) => [...reader.between(since, until)].map(seqOf);
  expect(seqs(second(99), second(102))).toEqual([100, 101, 102, 1001]);
  expect(seqs("", "9999")).toHaveLength(1001);
  expect(seqs("2027", "9999")).toEqual([]);
});

test("who reads them slowly does not keep what is written meanwhile in the -wal", () => {
  const checkpoint = () => {
    using other = new Database(path);
    return other.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").get()!.busy;
  };
  using reader = new JournalReader(path);
  const lines = reader.between("", "9999");
  expect(seqOf(String(lines.next().value))).toBe(1);
  store.append(lineAt(0));
  expect(checkpoint()).toBe(0);
  expect([...lines].map(seqOf)).toEqual(Array.from({ length: 999 }, (_, i) => i + 2));
});

test("the chain is of one moment", () => {
  using reader = new JournalReader(path);
  const lines = reader.chain();
  lines.next();
  store.append(lineAt(0));
  expect([...lines]).toHaveLength(999);
  expect(reader.head.seq).toBe(1000);
});
