import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BpfinkError } from "../../../src/errors.ts";
import { MIGRATIONS } from "../../../src/state/schema.ts";
import { Store } from "../../../src/state/store.ts";

let directory: string;
let path: string;
const state = (text: string) => ({ consumer: "generic", text }) as const;
const line = (seq: number) => `{"time":"2026-11-23T20:17:18.276502Z","seq":${seq},"text":"line"}`;

/** What line() made of it, without the chain's keys. */
const plain = ({ seq, line }: { seq: number; line: string }) => ({
  seq,
  line: line.replace(/,"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"/, ""),
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bpfink-store-"));
  path = join(directory, "state", "bpfink.db");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The error that opening gives, as the user sees it. */
function refusal(file = path): string {
  try {
    Store.open(file).close();
  } catch (error) {
    if (error instanceof BpfinkError && error.status === 4) return error.toString().replaceAll(directory, "");
    throw error;
  }
  return "opened";
}

describe("states and lines", () => {
  test("come back as they went in", () => {
    using store = Store.open(path);
    const odd = { consumer: "generic", inode: "18446744073709551615", text: "\ud800 \u0000 é 😀 '\"" } as const;
    store.baseline("/b\n'", odd);
    store.baseline("/a", state("1"));
    store.baseline("/a", state("2"));
    store.baseline("/c", state("3"));
    store.forget("/c");
    expect([store.paths(), store.load("/a"), store.load("/b\n'"), store.load("/c")]).toEqual([
      ["/a", "/b\n'"],
      state("2"),
      odd,
      undefined,
    ]);
  });

  test("are one transaction, in order, and once delivered not given again", () => {
    using store = Store.open(path);
    const recorded = store.record({ path: "/a", state: state("1"), line }, { path: "/b", state: state("2"), line });
    const appended = store.append(line);
    const all = [...recorded, appended];
    expect(all.map(plain)).toEqual([1, 2, 3].map((seq) => ({ seq, line: line(seq) })));
    expect([store.undelivered(0, 10), store.undelivered(1, 1)]).toEqual([all, all.slice(1, 2)]);
    store.delivered(2);
    expect(store.undelivered(0, 10)).toEqual(all.slice(2));
  });

  test("nothing of a record stays whose line cannot be made", () => {
    using store = Store.open(path);
    const failing = () => {
      throw new RangeError("no line");
    };
    const changes = [
      { path: "/a", state: state("1"), line },
      { path: "/b", state: state("2"), line: failing },
    ];
    expect(() => store.record(...changes)).toThrow(RangeError);
    expect([store.paths(), store.undelivered(0, 9)]).toEqual([[], []]);
    expect(plain(store.append(line))).toEqual({ seq: 1, line: line(1) });
  });

  test("survive closing; sequence numbers go on though the journal was pruned", () => {
    const retention = { age: 0, bytes: 0 };
    const first = Store.open(path, { retention });
    first.record(...Array.from({ length: 5 }, () => ({ path: "/a", state: state("x"), line })));
    first.delivered(5);
    const before = [first.fingerprint("secret"), first.keyedDigest("secret")];
    first.close();
    first.close();
    using second = Store.open(path);
    expect([second.fingerprint("secret"), second.keyedDigest("secret")]).toEqual(before);
    expect(second.append(line).seq).toBe(6);
  });

  test("fingerprints: keyed, short, and not the digest's beginning", () => {
    using a = Store.open(":memory:");
    using b = Store.open(":memory:");
    expect(a.fingerprint("x")).toMatch(/^[0-9a-f]{8}$/);
    expect(a.keyedDigest("x")).toMatch(/^keyed:[0-9a-f]{64}$/);
    expect(a.keyedDigest(new Uint8Array([120]))).toBe(a.keyedDigest("x"));
    expect(a.keyedDigest("x")).not.toContain(a.fingerprint("x"));
    expect(a.fingerprint("x")).not.toBe(b.fingerprint("x"));
  });

  test("a closed store says so", () => {
    const store = Store.open(":memory:");
    store.close();
    expect(() => store.paths()).toThrow(BpfinkError);
  });
});

describe("the file", () => {
  test("is root's alone, with its directory and what SQLite puts beside it", () => {
    using store = Store.open(path);
    store.append(line);
    const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
    const files = readdirSync(join(directory, "state")).sort();
    expect(files).toEqual(["bpfink.db", "bpfink.db-shm", "bpfink.db-used", "bpfink.db-wal"]);
    expect(mode(join(directory, "state"))).toBe("700");
    expect(files.map((name) => mode(join(directory, "state", name)))).toEqual(files.map(() => "600"));
  });

  test("is whole when closed, and loses permissions that it should not have", () => {
    Store.open(path).close();
    chmodSync(path, 0o644);
    Store.open(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, "state")).sort()).toEqual(["bpfink.db", "bpfink.db-used"]);
  });

  test("that is not a database is left as it is", () => {
    mkdirSync(join(directory, "state"));
    const garbage = "not a database ".repeat(1000);
    writeFileSync(path, garbage);
    expect(refusal()).toBe(
      "state database /state/bpfink.db is not a database (SQLITE_NOTADB); move it away to begin with an empty one, " +
        "or name another file with --database",
    );
    expect(readFileSync(path, "utf8")).toBe(garbage);
  });

  test("of another program, or a newer bpfink, is refused", () => {
    sqlite(path, "CREATE TABLE other (x)");
    expect(refusal()).toContain("belongs to another program");
    const newer = join(directory, "newer.db");
    Store.open(newer).close();
    sqlite(newer, "PRAGMA user_version = 99");
    expect(refusal(newer)).toBe(
      `state database /newer.db has schema 99, newer than this bpfink's ${MIGRATIONS.length}; upgrade bpfink`,
    );
  });

  test("that is no file is refused: link, directory; so is one that cannot be made", () => {
    writeFileSync(join(directory, "target"), "");
    symlinkSync("target", join(directory, "link"));
    symlinkSync("nowhere", join(directory, "dangling"));
    const tried = ["link", "dangling", ".", "target/x.db", "no/such/x.db"].map((name) =>
      refusal(join(directory, name)),
    );
    expect(tried.map((text) => text.split("; ")[0]?.replace(/^state database \S* /, ""))).toEqual([
      "is a symbolic link",
      "is a symbolic link",
      "is not a regular file",
      "cannot be made: its parent is not a directory (ENOTDIR)",
      "cannot be made: its parent directory does not exist (ENOENT)",
    ]);
    expect(existsSync(join(directory, "nowhere"))).toBe(false);
    expect(refusal("/proc/bpfink.db")).toMatch(/^state database \/proc\/bpfink\.db cannot be made/);
  });

  test("in a directory behind a link is opened", () => {
    mkdirSync(join(directory, "real"));
    symlinkSync("real", join(directory, "link"));
    expect(refusal(join(directory, "link", "x.db"))).toBe("opened");
  });

  test("on a read-only file system", () => {
    withTmpfs("1m", (mounted) => {
      const file = join(mounted, "x.db");
      Store.open(file).close();
      mount("-o", "remount,ro", mounted);
      expect(refusal(file)).toMatch(
        /cannot be (?:opened|written)[^;]*; check its permissions and that its file system/,
      );
      expect(refusal(join(mounted, "new.db"))).toMatch(/the file system is read-only \(EROFS\); mount it read-write/);
    });
  });

  test("on a full one: the error says so, the transaction is undone whole, and room makes it work again", () => {
    withTmpfs("512k", (mounted) => {
      using store = Store.open(join(mounted, "x.db"));
      const filler = join(mounted, "filler");
      store.record({ path: "/a", state: state("before"), line });
      spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
      const big = [
        { path: "/a", state: state("after"), line },
        { path: "/b", state: state("x".repeat(300_000)), line },
      ];
      expect(() => store.record(...big)).toThrow(/cannot grow: the disk is full \(SQLITE_FULL\)/);
      expect([store.load("/a"), store.load("/b"), store.undelivered(0, 9).length]).toEqual([
        state("before"),
        undefined,
        1,
      ]);
      rmSync(filler);
      expect(store.record({ path: "/a", state: state("after"), line }).map(plain)).toEqual([{ seq: 2, line: line(2) }]);
    });
  });
});

describe("processes", () => {
  const children: Bun.Subprocess<"ignore", "pipe", "inherit">[] = [];
  afterEach(() => children.splice(0).forEach((started) => started.kill("SIGKILL")));

  const storeModule = join(import.meta.dir, "../../../src/state/store.ts");

  test("a second bpfink is refused, by the first of this process and of another; killed, it lets go", async () => {
    Store.open(path).close();
    const holder = child(
      `const store = Store.open(path); console.log("open"); setInterval(() => store.paths(), 1000);`,
    );
    await readUntil(holder, (lines) => lines.includes("open"));
    const inUse =
      "state database /state/bpfink.db is in use by another bpfink; stop that one, or name another file with --database";
    expect(refusal()).toBe(inUse);
    rmSync(`${path}-used`); // nothing beside it makes way
    expect(refusal()).toBe(inUse);
    sqlite(path, "SELECT 1"); // nor does who opens and closes it meanwhile
    expect(refusal()).toBe(inUse);
    holder.kill("SIGKILL");
    await holder.exited;
    using first = Store.open(path);
    expect(refusal()).toBe(inUse);
    expect(first.append(line).seq).toBe(1);
  });

  test("what was acknowledged before kill -9 is there, each state with its line", async () => {
    for (const least of [1, 50, 400]) {
      const file = join(directory, `${least}.db`);
      const writer = child(
        `const store = Store.open(path);
         const line = ${line};
         for (;;) {
           const [{ seq }] = store.record({ path: "/a", state: { consumer: "generic", seq: store.undelivered(0, 1e6).length + 1 }, line });
           require("node:fs").writeSync(1, seq + "\\n");
         }`,
        file,
      );
      const acknowledged = (await readUntil(writer, (lines) => lines.length > least, true)).length - 1;
      using store = Store.open(file);
      const lines = store.undelivered(0, 1e6);
      expect(lines.length).toBeWithin(acknowledged, acknowledged + 2);
      expect(lines.map(plain)).toEqual(lines.map((_, i) => ({ seq: i + 1, line: line(i + 1) })));
      expect(store.load("/a")).toEqual({ consumer: "generic", seq: lines.length });
    }
  }, 30_000);

  function child(body: string, file = path) {
    const script = `import { MIGRATIONS } from "../../../src/state/schema.ts";
import { Store } from ${JSON.stringify(storeModule)}; const path = ${JSON.stringify(file)}; ${body}`;
    const started = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    children.push(started);
    return started;
  }

  /** Reads until there is enough, then to the end if it is to be killed first. */
  async function readUntil(
    process: ReturnType<typeof child>,
    isEnough: (lines: string[]) => boolean,
    kill = false,
  ): Promise<string[]> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of process.stdout) {
      text += decoder.decode(chunk);
      if (!isEnough(text.split("\n"))) continue;
      if (!kill) break;
      process.kill("SIGKILL");
    }
    return text.split("\n");
  }
});

function sqlite(file: string, sql: string): void {
  mkdirSync(join(directory, "state"), { recursive: true });
  const script = `new (require("bun:sqlite").Database)(${JSON.stringify(file)}).run(${JSON.stringify(sql)})`;
  expect(spawnSync(process.execPath, ["-e", script], { stdio: "inherit" }).status).toBe(0);
}

function withTmpfs(size: string, body: (mounted: string) => void): void {
  const mounted = join(directory, "mounted");
  mkdirSync(mounted);
  mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mounted);
  try {
    body(mounted);
  } finally {
    expect(spawnSync("umount", [mounted], { stdio: "inherit" }).status).toBe(0);
  }
}

function mount(...args: string[]): void {
  expect(spawnSync("mount", args, { stdio: "inherit" }).status).toBe(0);
}
