// What happens to the database while bpfink runs, or between two runs: it says so, and goes on watching.
import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { damagePage } from "../e2e/damage.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, run, SLOW } from "../e2e/process.ts";

/** What is tested here does not depend on the source, and this one starts at once. */
const args = ["--backend", "fanotify"];

/** Two runs' worth: the first makes the baseline and the second is running, with a change that was told. */
async function running(
  directory: TemporaryDirectory,
  database: string,
  then: (bp: Bpfink, change: (text: string) => Promise<void>, first: Bpfink) => Promise<void>,
  wrapper: readonly string[] = [],
): Promise<void> {
  const file = directory.write("f", "one\n");
  await using first = await Bpfink.start({ watch: [file], database, args });
  await first.stop();
  await using bp = await Bpfink.start({ watch: [file], database, args, wrapper });
  let content = "one";
  const change = async (text: string) => {
    writeFileSync(file, `${text}\n`);
    const line = await bp.nextChange(file);
    expect(line).toMatchObject({ origin: "live", del: { Content: [content] }, add: { Content: [text] } });
    content = text;
  };
  await change("two");
  await then(bp, change, first);
}

/** The lines of both runs are one chain, for `verify` too. */
async function expectOneChain(directory: TemporaryDirectory, database: string, ...runs: Bpfink[]): Promise<void> {
  const log = directory.write("log", runs.flatMap(({ texts }) => texts.map((text) => `${text}\n`)).join(""));
  const { status, stdout } = await bpfink(["verify", "--database", database, log]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("nothing amiss") });
}

test(
  "deleted while running: it is written again, with all that it held",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    await running(directory, database, async (bp, change, first) => {
      rmSync(directory.at("state"), { recursive: true });
      const line = await bp.line({ action: "database" });
      expect(line).toMatchObject({ level: "error", database, trouble: "was deleted", inMemory: false });
      expect(statSync(database).mode & 0o777).toBe(0o600);
      await change("three");
      await bp.stop();
      await expectOneChain(directory, database, first, bp);
      await using next = await Bpfink.start({ watch: [directory.at("f")], database, args });
      expect(next.lines).toMatchObject([{ action: "started", changed: 0 }]);
    });
  },
  2 * SLOW,
);

const damages: readonly (readonly [what: string, damage: (database: string) => void])[] = [
  ["truncated", (database) => truncateSync(database, 0)],
  ["overwritten with garbage", (database) => writeFileSync(database, "garbage ".repeat(20_000), { flag: "r+" })],
  ["replaced", replace],
];

function replace(database: string): void {
  writeFileSync(`${database}.new`, "other");
  renameSync(`${database}.new`, database);
}

test.each(damages)(
  "%s while running: it is set aside with its name said, and the chain goes on in a new one",
  async (_what, damage) => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    await running(directory, database, async (bp, change, first) => {
      damage(database);
      const damaged = readFileSync(database);
      const { setAside, ...line } = await bp.line({ action: "database" });
      expect(line).toMatchObject({ level: "error", database, inMemory: false });
      expect(setAside).toMatch(/^.*\/x\.db\.broken-\d{8}T\d{6}Z$/);
      expect(readFileSync(String(setAside)).subarray(0, 100)).toEqual(damaged.subarray(0, 100));
      await bp.rest();
      await change("three");
      await bp.stop();
      await expectOneChain(directory, database, first, bp);
    });
  },
  2 * SLOW,
);

test(
  "broken or gone between two runs: set aside with its name said, a new baseline, and an error line that says so",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const watch = [directory.write("f", "one\n")];
    {
      await using first = await Bpfink.start({ watch, database, args });
      await first.stop();
    }
    const garbage = "no database ".repeat(1000);
    writeFileSync(database, garbage);
    {
      await using second = await Bpfink.start({ watch, database, args });
      const { setAside, message } = await second.line({ action: "database" });
      expect(second.lines).toMatchObject([
        { action: "database", level: "error", trouble: "is damaged", seq: 1 },
        { action: "started", changed: 0 },
      ]);
      expect(message).toContain(String(setAside));
      expect(readFileSync(String(setAside), "utf8")).toBe(garbage);
      await second.stop();
    }
    for (const lose of [() => rmSync(database), () => truncateSync(database)]) {
      lose();
      await using next = await Bpfink.start({ watch, database, args });
      expect(next.lines[0]).toMatchObject({ action: "database", level: "error", trouble: "was deleted" });
      await next.stop();
    }
    await using last = await Bpfink.start({ watch, database, args });
    expect(last.lines.map(({ action }) => action)).toEqual(["started"]);
  },
  3 * SLOW,
);

test.each(["state", "journal", "journal_outbox", "chain", "secret", "expectation"])(
  "one page of %s damaged between two runs: set aside, a new baseline of all files, and changes are told",
  async (table) => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const watch = [directory.directory("tree"), directory.write("passwd", "root:x:0:0:root:/root:/bin/bash\n")];
    for (let i = 0; i < 20; i++) directory.write(`tree/${i}`, "one\n");
    {
      await using first = await Bpfink.start({ watch, database, args });
      await first.stop();
    }
    damagePage(database, table);
    await using second = await Bpfink.start({ watch, database, args });
    const { setAside } = await second.line({ action: "database", level: "error", trouble: "is damaged" });
    expect(statSync(String(setAside)).size).toBeGreaterThan(0);
    await second.rest();
    expect(second.lines.filter(({ action }) => action === "created")).toEqual([]);
    for (const file of ["tree/7", "passwd"]) {
      directory.write(file, "toor:x:0:0:root:/root:/bin/bash\n");
      expect(await second.nextChange(directory.at(file))).toMatchObject({ action: "modified", origin: "live" });
    }
    await second.noMoreLines();
  },
  2 * SLOW,
);

test(
  "it cannot be written any more: memory takes its place, and gives all back when it can be written again",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    // a limit for files fails every write, as a broken disk does
    const wrapper = ["env", "--ignore-signal=XFSZ"];
    const limit = (bp: Bpfink, size: string) => run("prlimit", "--pid", String(bp.pid), `--fsize=${size}`);
    await running(
      directory,
      database,
      async (bp, _change, first) => {
        await limit(bp, "0:unlimited");
        writeFileSync(directory.at("f"), "three\n");
        expect(await bp.line({ action: "database" })).toMatchObject({
          level: "error",
          trouble: "cannot be written",
          inMemory: true,
        });
        const line = { del: { Content: ["two"] }, add: { Content: ["three"] } };
        expect(await bp.nextChange(directory.at("f"))).toMatchObject(line);
        await bp.noMoreLines();
        await limit(bp, "unlimited:unlimited");
        expect(await bp.line({ action: "database" })).toMatchObject({
          trouble: "can be written again",
          inMemory: false,
        });
        await bp.stop();
        await expectOneChain(directory, database, first, bp);
        expect(await bpfink(["verify", "--database", database])).toMatchObject({ status: 0 });
        await using next = await Bpfink.start({ watch: [directory.at("f")], database, args });
        expect(next.lines).toMatchObject([{ action: "started", changed: 0 }]);
      },
      wrapper,
    );
  },
  2 * SLOW,
);

test(
  "locked by another process: what happens meanwhile is told when the lock is gone",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    await running(directory, database, async (bp) => {
      const other = new Database(database);
      other.run("PRAGMA busy_timeout = 5000"); // bpfink is writing itself
      other.run("BEGIN IMMEDIATE");
      writeFileSync(directory.at("f"), "three\n");
      await bp.stderr(/is in use by another process \(SQLITE_BUSY\)/);
      other.run("ROLLBACK");
      other.close();
      const line = await bp.nextChange(directory.at("f"));
      expect(line).toMatchObject({ del: { Content: ["two"] }, add: { Content: ["three"] } });
      expect(readdirSync(directory.at("state")).some((name) => name.includes("broken"))).toBe(false);
    });
  },
  2 * SLOW,
);
