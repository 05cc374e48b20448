// What becomes of the database's file and of those beside it, between two runs and while it is in use.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BpfinkError } from "../../../src/errors.ts";
import { setAside } from "../../../src/state/health.ts";
import { Store } from "../../../src/state/store.ts";
import { damagePage } from "../../e2e/damage.ts";

let directory: string;
let path: string;
const line = (seq: number) => `{"time":"2026-11-23T20:17:18.276502Z","seq":${seq},"text":"line"}`;
const stateOf = (i: number) => ({ consumer: "generic", text: "x".repeat(300), i }) as const;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bpfink-health-"));
  path = join(directory, "x.db");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function refusal(open: () => Disposable): string {
  try {
    open()[Symbol.dispose]();
  } catch (error) {
    if (error instanceof BpfinkError && error.status === 4) return error.toString().replaceAll(directory, "");
    throw error;
  }
  return "opened";
}

const broken = () => readdirSync(directory).filter((name) => name.includes("broken"));

describe("what lies beside the database", () => {
  const PLANTED: Record<string, (file: string) => void> = {
    "is a symbolic link": (file) => symlinkSync(join(directory, "target"), file),
    "is not a regular file": (file) => expect(spawnSync("mkfifo", [file]).status).toBe(0),
    "belongs to user 1234": (file) => (writeFileSync(file, ""), chownSync(file, 1234, 1234)),
  };

  test.each(["-wal", "-shm", "-journal", "-used"])("%s is nobody else's: link, FIFO, another user's", (suffix) => {
    Store.open(path).close();
    const sound = readFileSync(path);
    for (const [what, plant] of Object.entries(PLANTED)) {
      rmSync(path + suffix, { force: true });
      plant(path + suffix);
      const told = `state database /x.db has /x.db${suffix} beside it, which ${what}; remove /x.db${suffix}`;
      expect(refusal(() => Store.openAnyway(path, {}).store)).toBe(told);
    }
    expect([existsSync(join(directory, "target")), broken()]).toEqual([false, []]);
    expect(readFileSync(path)).toEqual(sound);
  });

  test("what a crash left becomes root's alone again, too", () => {
    const child = `import { Store } from ${JSON.stringify(join(import.meta.dir, "../../../src/state/store.ts"))};
      Store.open(${JSON.stringify(path)}).append(${line}); process.kill(process.pid, "SIGKILL");`;
    spawnSync(process.execPath, ["-e", child], { stdio: "inherit" });
    const left = ["x.db", "x.db-shm", "x.db-used", "x.db-wal"];
    expect(readdirSync(directory).sort()).toEqual(left);
    for (const name of left) chmodSync(join(directory, name), 0o666);
    using store = Store.open(path);
    expect(store.undelivered(0, 9)).toHaveLength(1);
    expect(left.map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual(left.map(() => 0o600));
  });

  test("a FIFO in the database's place is refused by who only reads, and not waited for", () => {
    spawnSync("mkfifo", [path]);
    expect(refusal(() => Store.openReadOnly(path))).toContain("is not a regular file");
  });
});

describe("between two runs", () => {
  test("who was killed while it made the database has lost nothing; who finds it emptied has", () => {
    writeFileSync(path, "");
    const first = Store.openAnyway(path, {});
    expect(first.found).toBeUndefined();
    first.store.close();
    writeFileSync(path, "");
    const second = Store.openAnyway(path, {});
    second.store.close();
    expect(second.found).toMatchObject({ trouble: "was deleted" });
    rmSync(path);
    const third = Store.openAnyway(path, {});
    third.store.close();
    expect(third.found).toMatchObject({ trouble: "was deleted" });
  });

  test("a table that is gone is damage, and the rest is set aside", () => {
    Store.open(path).close();
    const other = new Database(path);
    other.run("DROP TABLE state");
    other.close();
    const { store, found } = Store.openAnyway(path, {});
    store.close();
    expect(found).toMatchObject({ trouble: "is damaged", setAside: expect.stringContaining("x.db.broken-") });
  });

  test("nothing that was set aside is written over by what is set aside in the same second", () => {
    const now = new Date("2026-11-25T16:00:00.5Z");
    const names = ["one", "two", "three"].map((text) => {
      writeFileSync(path, text);
      writeFileSync(`${path}-wal`, text);
      return setAside(path, now)!;
    });
    expect(names.map((name) => name.slice(path.length))).toEqual(
      ["", "-2", "-3"].map((number) => `.broken-20261125T160000Z${number}`),
    );
    expect(names.map((name) => readFileSync(name, "utf8"))).toEqual(["one", "two", "three"]);
  });
});

describe("while it is in use", () => {
  const linkInItsPlace = () => {
    renameSync(path, `${path}.moved`);
    symlinkSync(`${path}.moved`, path);
  };
  test.each([
    ["was deleted", () => rmSync(path)],
    ["was replaced", linkInItsPlace],
    ["has lost its -wal", () => rmSync(`${path}-wal`)],
    ["has lost its -wal", () => (rmSync(`${path}-wal`), writeFileSync(`${path}-wal`, "garbage"))],
  ])("it %s: noticed, and all that it held is in the new one, also after kill -9", (trouble, damage) => {
    using store = Store.open(path);
    store.record({ path: "/a", state: stateOf(1), line });
    expect(store.tend()).toBeUndefined();
    damage();
    expect(store.tend()).toMatchObject({ trouble, isWhole: true, inMemory: false });
    expect(store.tend()).toBeUndefined();
    store.record({ path: "/b", state: stateOf(2), line });
    for (const suffix of ["", "-wal"]) writeFileSync(`${path}2${suffix}`, readFileSync(path + suffix));
    using after = Store.open(`${path}2`);
    expect([after.paths(), after.undelivered(0, 9).length]).toEqual([["/a", "/b"], 2]);
  });

  test("where no new one can be made it goes on in memory, says why, and comes back when it can", () => {
    using store = Store.open(path);
    store.record({ path: "/a", state: stateOf(1), line });
    rmSync(`${path}-used`);
    mkdirSync(`${path}-used`);
    rmSync(path);
    const why = expect.stringContaining(`${path}-used beside it, which is not a regular file; remove`);
    expect(store.tend()).toMatchObject({ trouble: "was deleted", isWhole: true, inMemory: true, why });
    store.record({ path: "/b", state: stateOf(2), line });
    expect([store.tend(), store.paths()]).toEqual([undefined, ["/a", "/b"]]);
    rmSync(`${path}-used`, { recursive: true });
    expect(store.tend()).toMatchObject({ trouble: "can be written again", isWhole: true, inMemory: false });
    using reader = Store.openReadOnly(path);
    expect([reader.paths(), reader.undelivered(0, 9).length]).toEqual([["/a", "/b"], 2]);
  });

  test("another bpfink's database in its place is left to that one", async () => {
    using store = Store.open(path);
    store.record({ path: "/a", state: stateOf(1), line });
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
    await using other = holder();
    expect(await other.stdout.getReader().read()).toMatchObject({ done: false });
    const why = expect.stringContaining("is in use by another bpfink");
    expect(store.tend()).toMatchObject({ trouble: "was replaced", setAside: undefined, inMemory: true, why });
    store.record({ path: "/b", state: stateOf(2), line });
    expect([store.tend(), store.paths(), broken()]).toEqual([undefined, ["/a", "/b"], []]);
    using reader = Store.openReadOnly(path);
    expect(reader.paths()).toEqual(["/other"]);
    other.kill("SIGKILL");
    await other.exited;
    const found = store.tend();
    expect(found).toMatchObject({ trouble: "was used by another bpfink meanwhile", isWhole: true, inMemory: false });
    using theirs = Store.openReadOnly(found?.setAside ?? "");
    expect(theirs.paths()).toEqual(["/other"]);
    using ours = Store.openReadOnly(path);
    expect([ours.paths(), ours.undelivered(0, 9).length]).toEqual([["/a", "/b"], 2]);
  });

  function holder() {
    const script = `import { Store } from ${JSON.stringify(join(import.meta.dir, "../../../src/state/store.ts"))};
      const store = Store.open(${JSON.stringify(path)}); store.baseline("/other", { consumer: "generic" });
      console.log("open"); setInterval(() => store.paths(), 1000);`;
    return Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  }

  const damage = (table: string) => damagePage(path, table);

  test("damaged where the announcements are: states that can still be read stay known", () => {
    {
      using before = Store.open(path);
      before.transaction(() => {
        for (let i = 0; i < 500; i++) before.baseline(`/${i}`, stateOf(i));
      });
    }
    damage("expectation");
    using store = Store.open(path);
    const key = store.fingerprint("x");
    expect(() => store.expectations.at(0)).toThrow(/is damaged/);
    expect(store.tend()).toMatchObject({ trouble: "is damaged", isWhole: false, inMemory: false });
    expect([store.paths().length, store.load("/7"), store.fingerprint("x")]).toEqual([500, stateOf(7), key]);
    expect(store.expectations.at(0)).toEqual([]);
  });

  test("a state that is none is a difference from anything, not a path that nobody looks at", () => {
    using store = Store.open(path);
    for (const text of ["garbage", "null", "5"]) {
      const other = new Database(path);
      other.prepare("INSERT OR REPLACE INTO state VALUES ('/a', ?)").run(text);
      other.close();
      expect(store.load("/a")).toEqual({ consumer: "generic" });
    }
  });

  test("an announcement that is none labels nothing, and keeps nothing from being told", () => {
    using store = Store.open(path);
    const other = new Database(path);
    const insert = other.prepare("INSERT INTO expectation VALUES (NULL, 'r', 'u', ?, 0, ?, 0, 1)");
    for (const paths of ["garbage", "null", "5", "[5]", '["relative"]']) insert.run(paths, 1e15);
    insert.run("[]", 8_640_000_000_000_001);
    insert.run('["/a"]', 8_640_000_000_000_000);
    other.close();
    expect(store.expectations.at(1)).toMatchObject([{ paths: ["/a"] }]);
    expect(store.expectations.news()).toHaveLength(1);
  });
});

test("directories on the way are made for root alone, and only the last one", () => {
  Store.open(join(directory, "new", "x.db")).close();
  expect(statSync(join(directory, "new")).mode & 0o777).toBe(0o700);
  mkdirSync(join(directory, "old"), { mode: 0o755 });
  expect(refusal(() => Store.open(join(directory, "old", "a", "b", "x.db")))).toContain("ENOENT");
});
