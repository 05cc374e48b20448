// What was recorded can be read back and proven, beside the bpfink that goes on recording.
import { expect, test } from "bun:test";
import { appendFileSync, chmodSync, renameSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, end, environment, BPFINK, SLOW } from "../e2e/process.ts";

/** Runs a bpfink that makes three changes of a file, to the end if `then` does not want it running. */
async function recorded(
  directory: TemporaryDirectory,
  then: (bp: Bpfink, file: string) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const file = directory.write("watched/f", "one\n");
  await using bp = await Bpfink.start({ watch: [file], database: directory.at("x.db"), args });
  for (const text of ["two", "three", "\u001b[31mfour"]) {
    writeFileSync(file, `${text}\n`);
    await bp.line((line) => JSON.stringify(line["add"]).includes(JSON.stringify(text).slice(1, -1)));
  }
  await then(bp, file);
}

test(
  "history: by path, action, user and time, as lines for programs and as a table for people",
  async () => {
    using directory = new TemporaryDirectory();
    const history = async (...args: string[]) => {
      const { status, stdout, stderr } = await bpfink(["history", "--database", directory.at("x.db"), ...args]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return stdout.split("\n").slice(0, -1);
    };
    await recorded(directory, async (bp, file) => {
      expect(await history()).toEqual(bp.texts);
      const changes = bp.texts.filter((_, i) => bp.lines[i]?.file === file);
      expect(changes.length).toBeGreaterThanOrEqual(3);
      for (const path of [file, directory.at("watched"), directory.at("w*/?"), "/"]) {
        expect(await history("--path", path, "--action", "modified")).toEqual(changes);
      }
      expect(await history("--path", directory.at("watch"))).toEqual([]);
      expect(await history("--user", "root", "--path", file)).toEqual(changes);
      expect(await history("--user", "nobody")).toEqual([]);
      const times = bp.lines.map(({ time }) => time).sort();
      const since = times.at(-2)!;
      const late = bp.texts.filter((_, i) => (bp.lines[i]?.time ?? "") >= since);
      expect(await history("--since", since)).toEqual(late);
      expect(await history("--until", since)).toEqual(bp.texts.filter((text) => !late.includes(text)));
      expect(await history("--until", "2020-01-01")).toEqual([]);
      expect(await history("--since", "1h")).toEqual(bp.texts);

      const table = (await history("--diff", "--path", file)).join("\n");
      expect(table).toMatch(/^TIME \(UTC\) +ACTION +USER +PROCESS +FILE\n/);
      expect(table).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  modified    root +bun\S*\[\d+\] +\/.*\/f$/m);
      expect(table).toContain("\n    -three\n    +\\u001b[31mfour");
      expect(table).not.toContain("\u001b");
    });
  },
  SLOW,
);

test(
  "history on a terminal is a table; differences have colours unless NO_COLOR asks for none",
  async () => {
    using directory = new TemporaryDirectory();
    const onTerminal = async (...env: string[]) => {
      const command = [...env, BPFINK, "history", "--diff", "--database", directory.at("x.db")].join(" ");
      return (await end(["script", "-qec", command, "/dev/null"], { env: { TERM: "xterm" } })).stdout;
    };
    await recorded(directory, async () => {
      expect(await onTerminal()).toMatch(
        /^TIME[^]*\u001b\[31m-three\u001b\[0m[^]*\u001b\[32m\+\\u001b\[31mfour\u001b\[0m/,
      );
      const plain = await onTerminal("NO_COLOR=1");
      expect(plain).toContain("+\\u001b[31mfour");
      expect(plain).not.toContain("\u001b");
    });
  },
  SLOW,
);

test(
  "verify: the journal, the log beside a running bpfink, rotated logs and stdin are whole; a changed one is not",
  async () => {
    using directory = new TemporaryDirectory();
    const log = directory.at("log");
    const verify = async (...args: string[]) => {
      const { status, stdout } = await bpfink(["verify", "--database", directory.at("x.db"), ...args]);
      return { status, stdout: stdout.replaceAll(directory.path, "") };
    };
    const whole = {
      status: 0,
      stdout: expect.stringMatching(/^\d+ lines, seq 1 to \d+, ending in [0-9a-f]{64}: nothing amiss\n$/),
    };
    await recorded(directory, async (bp) => {
      await bp.rest();
      const { texts } = bp;
      writeFileSync(log, texts.map((text) => `${text}\n`).join(""));
      expect(await verify()).toEqual(whole);
      expect(await verify(log)).toEqual(whole);
      const [one, two] = [directory.write("log.1", `${texts[0]}\n${texts[1]}\n`), directory.write("log.2")];
      appendFileSync(
        two,
        texts
          .slice(2)
          .map((text) => `${text}\n`)
          .join(""),
      );
      expect(await verify(one, two)).toEqual(whole);
      const piped = await end(["sh", "-c", `cat ${log} | ${BPFINK} verify --database ${directory.at("x.db")} -`]);
      expect(piped).toMatchObject({ status: 0 });

      writeFileSync(log, texts.map((text, i) => `${i === 1 ? text.replace("two", "six") : text}\n`).join(""));
      expect(await verify(log)).toEqual({
        status: 1,
        stdout: expect.stringMatching(/^\/log:2: seq 2 was changed: .*\n.*: 1 found amiss\n$/),
      });
      writeFileSync(
        log,
        texts
          .slice(0, 2)
          .map((text) => `${text}\n`)
          .join(""),
      );
      expect(await verify(log)).toEqual({
        status: 1,
        stdout: expect.stringMatching(/^\/log:2: seq 3 to \d+ are missing after it, at the end\n/),
      });
      expect(await verify(directory.at("none"))).toMatchObject({ status: 2, stdout: "" });
    });
  },
  SLOW,
);

test("verify goes through 200,000 lines in some seconds, and shows on a terminal how far it is", async () => {
  using directory = new TemporaryDirectory();
  const lines: string[] = [];
  let prev = "0".repeat(64);
  for (let seq = 1; seq <= 200_000; seq++) {
    const [head, tail] = [
      `{"time":"2026-11-23T20:17:18.276502Z","seq":${seq},"prev":"${prev}"`,
      `,"host":"another","text":"${"x".repeat(600)}"}\n`, // it is not held against what is on this host
    ];
    prev = new Bun.CryptoHasher("sha256").update(head).update(tail.slice(0, -1)).digest("hex");
    lines.push(`${head},"hash":"${prev}"${tail}`);
  }
  const log = directory.write("log", lines.join(""));
  const begin = performance.now();
  // nothing is shown of what is done at once, as this is on a fast machine: stdin comes first, and takes its time
  const { stdout } = await end(["script", "-qec", `sleep 2 | ${BPFINK} verify - ${log}`, "/dev/null"]);
  expect(performance.now() - begin).toBeLessThan(15_000); // three, where nothing else runs
  expect(stdout).toMatch(/verifying, MiB \[=+ +\] \d+ of 15\d\r/);
  expect(stdout).toContain(`200000 lines, seq 1 to 200000, ending in ${prev}: nothing amiss`);
}, 60_000);

test(
  "verify a log that is being written: what is printed meanwhile is neither missing nor unknown",
  async () => {
    using directory = new TemporaryDirectory();
    await recorded(directory, async (bp, file) => {
      await bp.rest();
      const verifying = Bun.spawn([BPFINK, "verify", "--database", directory.at("x.db"), "-"], {
        ...{ env: environment(), stdin: "pipe", stdout: "pipe", stderr: "pipe" },
      });
      const feed = async (texts: readonly string[]) => {
        for (const text of texts) verifying.stdin.write(`${text}\n`);
        await verifying.stdin.flush();
      };
      const before = bp.texts.length;
      await feed(bp.texts);
      await Bun.sleep(500); // it has asked the database by then
      writeFileSync(file, "five\n");
      await bp.nextChange(file);
      await bp.rest();
      await feed(bp.texts.slice(before));
      await verifying.stdin.end();
      expect(await verifying.stdout.text()).toContain("nothing amiss");
      expect(await verifying.exited).toBe(0);
    });
  },
  SLOW,
);

test(
  "history of a path tells where it was moved to; of a user, what was announced by him",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("x.db");
    const tree = directory.directory("tree");
    const [old, now] = [directory.write("tree/old", "one\n"), `${tree}/now`];
    await using bp = await Bpfink.start({ watch: [tree], database });
    renameSync(old, now);
    await bp.line({ action: "moved" });
    expect((await bpfink(["expect", "--for", "1m", "--reason", "deploy 42", "--database", database])).status).toBe(0);
    const { by } = (await bp.line({ action: "expected" }))["expected"] as { by: string };
    await bp.rest();
    const history = async (...args: string[]) =>
      (await bpfink(["history", "--database", database, ...args])).stdout.split("\n").slice(0, -1);
    const moved = bp.texts.filter((_, i) => bp.lines[i]?.action === "moved");
    for (const path of [old, now]) expect(await history("--path", path)).toEqual(moved);
    expect((await history("--user", by, "--action", "expected")).map((text) => JSON.parse(text))).toMatchObject([
      { expected: { reason: "deploy 42" } },
    ]);
    const table = (await history("--diff")).join("\n");
    expect(table).toContain(`  ${old} -> ${now}\n`);
    expect(table).toMatch(new RegExp(`expected +${by} +changes are expected: deploy 42`));
  },
  SLOW,
);

test(
  "with a key the chain is keyed; the key is root's alone",
  async () => {
    using directory = new TemporaryDirectory();
    const key = directory.write("key", "k".repeat(40), 0o600);
    const args = ["--chain-key", key];
    await recorded(
      directory,
      async (bp) => {
        for (const { hash } of bp.lines) expect(hash).toMatch(/^keyed:[0-9a-f]{64}$/);
        const verify = (...more: string[]) => bpfink(["verify", "--database", directory.at("x.db"), ...more]);
        expect(await verify(...args)).toMatchObject({ status: 0 });
        expect(await verify()).toMatchObject({ status: 2, stderr: expect.stringContaining("give --chain-key FILE") });
        const other = directory.write("other", "o".repeat(40), 0o600);
        expect(await verify("--chain-key", other)).toMatchObject({ status: 1 });
        chmodSync(key, 0o640);
        const refused = { status: 2, stderr: expect.stringContaining(`chmod 600 ${key}`) };
        expect(await verify(...args)).toMatchObject(refused);
        expect(await bpfink([...args, "--database", ":memory:"])).toMatchObject(refused);
        expect(await verify("--chain-key", directory.write("short", "x", 0o600))).toMatchObject({ status: 2 });
      },
      args,
    );
  },
  SLOW,
);
