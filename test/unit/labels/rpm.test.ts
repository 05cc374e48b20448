// Against databases that the real rpm makes of packages that the real rpmbuild makes.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Packages, type Question } from "../../../src/labels/packages.ts";
import { RpmDatabase } from "../../../src/labels/rpm.ts";
import { TemporaryDirectory } from "../../e2e/files.ts";
import { run } from "../../e2e/process.ts";
import { buildPackage, type Package, rpm } from "../../e2e/rpm.ts";
import { actorOf } from "../watch/events.ts";

const directory = new TemporaryDirectory();
const root = directory.directory("root");
const stateDirectory = `${root}/var/lib/rpm`;
const PATIENCE = 60_000;

const TOOL = "/usr/bin/tool";
/** More than one page of the database. */
const MANY = Object.fromEntries(Array.from({ length: 700 }, (_, n) => [`/opt/many/${n % 7}/file-${n}`, `${n}\n`]));
const ODD = "/opt/caf\u00e9 x";

async function install(what: Package, ...options: string[]): Promise<void> {
  await rpm(root, "-i", "--force", "--nodeps", ...options, await buildPackage(directory, what));
}

const digestOf = (algorithm: string, content: string) => createHash(algorithm).update(content).digest("hex");

beforeAll(async () => {
  await install({ name: "many", version: "1", files: MANY });
  await install({ version: "1.0", files: { [TOOL]: "one\n", [ODD]: "odd\n" } });
  await install({
    ...{ version: "1.1", tags: ["Epoch: 2"], files: { [TOOL]: "two\n", "/usr/lib/x/tool": "another\n" } },
    listed: ["%ghost /var/log/tool.log"],
  });
  await install({
    name: "old",
    version: "1",
    files: { "/etc/old": "old\n" },
    defines: ["_binary_filedigest_algorithm 1"],
  });
  await install({
    name: "long",
    version: "1",
    files: { "/etc/long": "l\n" },
    defines: ["_binary_filedigest_algorithm 10"],
  });
}, PATIENCE);
afterAll(() => directory[Symbol.dispose]());

describe("rpm's database", () => {
  const found = (path: string) =>
    (new RpmDatabase(root).find(path) ?? []).map(({ name, version }) => `${name} ${version}`);

  test("has the packages that ship a path, the newest first, with what their file holds", () => {
    const shipped = new RpmDatabase(root).find(TOOL);
    expect(shipped).toMatchObject([
      { name: "bpfink-test", version: "2:1.1-1", algorithm: "sha256", digest: digestOf("sha256", "two\n") },
      { name: "bpfink-test", version: "1.0-1", algorithm: "sha256", digest: digestOf("sha256", "one\n") },
    ]);
    for (const { installed } of shipped ?? []) expect(Date.now() - installed).toBeWithin(-1000, PATIENCE);
  });

  test.each([
    ["/usr/lib/x/tool", ["bpfink-test 2:1.1-1"]],
    ["/bin/tool", ["bpfink-test 2:1.1-1", "bpfink-test 1.0-1"]],
    ["/usr/bin/tool;6b077aa5", ["bpfink-test 2:1.1-1", "bpfink-test 1.0-1"]],
    ["/usr/bin/tool.rpmnew", ["bpfink-test 2:1.1-1", "bpfink-test 1.0-1"]],
    [ODD, ["bpfink-test 1.0-1"]],
    ["/opt/many/3/file-696", ["many 1-1"]],
    ["/opt/many/4/file-696", []], // the directory and the name are there, not together
    ["/var/log/tool.log", []], // %ghost: no content is the package's
    ["/usr/bin/too", []],
    ["/usr/bin", []],
    ["/tool", []],
    ["/", []],
    ["/usr/bin/tool'", []],
  ])("%s", (path, packages) => expect(found(path)).toEqual(packages));

  test("knows every file of a package as rpm does", async () => {
    const { stdout } = await rpm(root, "-q", "many", "--qf", "[%{FILENAMES} %{FILEDIGESTS}\\n]");
    const database = new RpmDatabase(root);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(700);
    expect(
      lines.map((line) => line.split(" ")[0]!).map((path) => `${path} ${database.find(path)?.[0]?.digest}`),
    ).toEqual(lines);
  });

  test.each([
    ["/etc/old", "md5", "old\n"],
    ["/etc/long", "sha512", "l\n"],
  ])("%s has a digest of another kind, %s", (path, algorithm, content) => {
    expect(new RpmDatabase(root).find(path)).toMatchObject([{ algorithm, digest: digestOf(algorithm, content) }]);
  });

  test(
    "is left as it is, while rpm uses it and while nobody does",
    async () => {
      const content = () =>
        readdirSync(stateDirectory)
          .sort()
          .map((name) => [
            name,
            statSync(`${stateDirectory}/${name}`).mtimeMs,
            digestOf("md5", readFileSync(`${stateDirectory}/${name}`, "latin1")),
          ]);
      const check = () => {
        const before = content();
        expect(found(TOOL)).not.toEqual([]);
        expect(content()).toEqual(before);
      };
      check();
      // the package is noted, and rpm waits for the script: its log is not in the database's file yet
      const busy = install({ name: "busy", version: "1", files: { "/opt/busy": "busy\n" }, after: "posix.sleep(2)" });
      while (found("/opt/busy").length === 0) await Bun.sleep(20);
      expect(statSync(`${stateDirectory}/rpmdb.sqlite-wal`).size).toBeGreaterThan(0);
      check();
      await busy;
      expect(found("/opt/busy")).toEqual(["busy 1-1"]);
      for (const suffix of ["-wal", "-shm"]) rmSync(`${stateDirectory}/rpmdb.sqlite${suffix}`);
      check();
      await rpm(root, "--rebuilddb");
      expect(found("/opt/busy")).toEqual(["busy 1-1"]);
    },
    PATIENCE,
  );

  test(
    "is asked anew when it has changed",
    async () => {
      const database = new RpmDatabase(root);
      expect(database.find("/opt/late")).toEqual([]);
      expect(database.find("/opt/late")).toEqual([]);
      await install({ name: "late", version: "1", files: { "/opt/late": "late\n" } });
      expect(database.find("/opt/late")).toMatchObject([{ name: "late" }]);
      await rpm(root, "-e", "late");
      expect(database.find("/opt/late")).toEqual([]);
    },
    PATIENCE,
  );

  test(
    "is asked anew when a package is in it, which is later than that its log has changed",
    async () => {
      const over = "/opt/over"; // a later transaction may show it
      const after = `posix.sleep(2) io.open("${over}", "w"):close()`;
      const what = { name: "synced", version: "1", files: { "/opt/synced": "s\n" }, after };
      const file = await buildPackage(directory, what);
      const sync = "#include <unistd.h>\nint fdatasync(int f) { return usleep(200000), fsync(f); }";
      const library = directory.at("slow.so");
      await run("clang", "-shared", "-fPIC", directory.write("slow.c", sync), "-o", library);
      const database = new RpmDatabase(root);
      const preload = `LD_PRELOAD=${library}`;
      const installed = run("env", preload, "rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-i", file);
      while (database.find("/opt/synced")?.length === 0 && !existsSync(root + over)) await Bun.sleep(10);
      expect(existsSync(root + over)).toBe(false);
      await installed;
    },
    PATIENCE,
  );

  test("is asked in no time for a name that thousands of packages have", () => {
    using other = new TemporaryDirectory();
    cpSync(stateDirectory, other.at("var/lib/rpm"), { recursive: true });
    const database = new Database(other.at("var/lib/rpm/rpmdb.sqlite"));
    const [name, place] = ["Basenames", "Dirnames"].map((table) =>
      database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`),
    );
    database.transaction(() => {
      for (let n = 0; n < 2000; n++) place!.run("/usr/bin/", 1000 + n, 0);
      for (let n = 0; n < 20_000; n++) name!.run("everywhere", 1000 + (n % 2000), n);
    })();
    database.run("ANALYZE");
    database.close();
    const before = performance.now();
    expect(new RpmDatabase(other.path).find("/usr/bin/everywhere")).toEqual([]); // there is no such header
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test("may be in the place where Fedora has it", () => {
    const other = directory.directory("other");
    mkdirSync(`${other}/usr/lib/sysimage`, { recursive: true });
    cpSync(stateDirectory, `${other}/usr/lib/sysimage/rpm`, { recursive: true });
    expect(new RpmDatabase(other).find(TOOL)).toHaveLength(2);
    mkdirSync(`${other}/var/lib`, { recursive: true });
    symlinkSync("../../usr/lib/sysimage/rpm", `${other}/var/lib/rpm`);
    expect(new RpmDatabase(other).find(TOOL)).toHaveLength(2);
  });

  test.each([
    ["garbage", (file: string) => writeFileSync(file, "garbage".repeat(10_000))],
    ["an empty file", (file: string) => writeFileSync(file, "")],
    ["a directory", (file: string) => mkdirSync(file)],
    ["a pipe", (file: string) => Bun.spawnSync(["mkfifo", file])],
    [
      "a database cut short",
      (file: string) => writeFileSync(file, readFileSync(`${stateDirectory}/rpmdb.sqlite`).subarray(0, 50_000)),
    ],
  ])("knows nothing where there is %s", (_, make) => {
    using other = new TemporaryDirectory();
    other.directory("var/lib/rpm");
    make(other.at("var/lib/rpm/rpmdb.sqlite"));
    expect(new RpmDatabase(other.path).find(TOOL)).toEqual([]);
  });
});

test("what is in no database that is read waits for nothing", () => {
  using other = new TemporaryDirectory();
  other.write("var/lib/rpm/Packages.db", "RpmP"); // ndb
  expect(new RpmDatabase(other.path).find(TOOL)).toBeUndefined();
  const question = { path: TOOL, file: "/x", digest: "", actors: [actorOf(1, { executable: "/usr/bin/rpm" })] };
  expect(new Packages(other.path).provenance({ ...question, waited: false })).toEqual({
    label: undefined,
    isOpen: false,
  });
});

describe("where a file comes from, that rpm put into place", () => {
  const actor = (executable = "/usr/bin/rpm", changes = {}) => actorOf(1, { executable, ...changes });
  const ask = (path: string, content: string, changes: Partial<Question> = {}) => {
    const file = directory.write(`now${path}`, content);
    const question = { path, file, digest: digestOf("sha256", content), actors: [actor()], waited: false };
    return new Packages(root).provenance({ ...question, ...changes });
  };
  const label = (version: string, verified: boolean) => ({ name: "bpfink-test", version, verified });

  test("is the package that holds its content", () => {
    expect(ask(TOOL, "two\n")).toEqual({ label: label("2:1.1-1", true), isOpen: false });
    expect(ask(TOOL, "one\n")).toEqual({ label: label("1.0-1", true), isOpen: false });
  });

  test("is not known before rpm had its time, and nothing is guessed until then", () => {
    expect(ask(TOOL, "three\n")).toEqual({ label: undefined, isOpen: true });
    expect(ask(TOOL, "three\n", { waited: true })).toEqual({ label: label("2:1.1-1", false), isOpen: true });
    expect(ask("/opt/x", "", { waited: true })).toEqual({ label: undefined, isOpen: true });
  });

  test("is not known of what is on its way to its place", () => {
    const there = `${TOOL};6b077aa5`;
    expect(ask(there, "three\n")).toEqual({ label: undefined, isOpen: true });
    expect(ask(there, "three\n", { waited: true })).toEqual({ label: undefined, isOpen: true });
    expect(ask(there, "two\n", { waited: true })).toEqual({ label: label("2:1.1-1", true), isOpen: true });
  });

  test("may be a version that rpm is about to note, if the one that holds it was there before rpm began", () => {
    const later = actor("/usr/bin/rpm", { start: new Date(Date.now() + 60_000).toISOString() });
    expect(ask(TOOL, "two\n", { actors: [later] })).toEqual({ label: label("2:1.1-1", true), isOpen: true });
  });

  test("is known at once of what rpm's scripts do", () => {
    const ancestors = [{ pid: 2, name: "rpm", executable: "/usr/bin/rpm" }];
    const script = actor("/usr/bin/bash", { ancestors });
    expect(ask(TOOL, "three\n", { actors: [script] })).toEqual({ label: label("2:1.1-1", false), isOpen: false });
  });

  test("is nobody's business if somebody else did", () => {
    expect(ask(TOOL, "two\n", { actors: [actor("/usr/bin/cp"), undefined] })).toEqual({
      label: undefined,
      isOpen: false,
    });
    expect(ask(TOOL, "two\n", { actors: [] })).toEqual({ label: undefined, isOpen: false });
  });

  test.each([
    ["/etc/old", "old\n"],
    ["/etc/long", "l\n"],
  ])("is told by whatever digest its package has (%s)", (path, content) => {
    expect(ask(path, content)).toMatchObject({ label: { verified: true } });
    expect(ask(path, "no\n", { waited: true })).toMatchObject({ label: { verified: false } });
    // what was looked at is not what is there now
    expect(ask(path, content, { digest: digestOf("sha256", "x"), waited: true })).toMatchObject({
      label: { verified: false },
    });
  });
});
