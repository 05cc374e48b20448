// SIGHUP: everything in the configuration that is not opened once and kept open is as the file has it then.
import { expect, test } from "bun:test";
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, BPFINK, environment, PATIENCE, SLOW } from "../e2e/process.ts";
import { takeMarks } from "../e2e/threads.ts";

/** A bpfink whose configuration is written anew. */
async function reloadable(directory: TemporaryDirectory, first: string, stdout?: number) {
  const config = directory.write("bpfink.toml", first);
  const database = directory.at("state/x.db");
  const running = await Bpfink.start({
    args: ["--config", config],
    database,
    ...(stdout === undefined ? {} : { stdout }),
  });
  return {
    running,
    database,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    reload: async (text: string) => {
      writeFileSync(config, text);
      running.kill("SIGHUP");
      if (stdout === undefined) await running.line({ action: "reloaded" });
    },
  };
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (const deadline = performance.now() + PATIENCE; !isTrue(); await Bun.sleep(20)) {
    if (performance.now() > deadline) throw new Error(`no ${what}`);
  }
}

test(
  "format: lines are printed in the new one, and none is lost while it changes",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "");
    const log = directory.write("log", "");
    const fd = openSync(log, "a");
    await using bp = await reloadable(directory, `watch = ["${file}"]\n`, fd);
    closeSync(fd);
    const printed = () => readFileSync(log, "utf8").split("\n").slice(0, -1);
    const written: string[] = [];
    for (const [round, format] of ["ecs", "bpfink", "ocsf", "bpfink"].entries()) {
      const before = printed().filter((line) => line.includes("configuration reloaded")).length;
      await bp.reload(`watch = ["${file}"]\nformat = "${format}"\n`);
      for (let i = 0; i < 20; i++) {
        written.push(`w${round}.${i}`);
        appendFileSync(file, `w${round}.${i}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until("reload", () => printed().filter((line) => line.includes("configuration reloaded")).length > before);
    }
    expect((await bp.running.stop()).status).toBe(0);
    const begins = { '{"time":': "bpfink", '{"@times': "ecs", '{"activi': "ocsf" } as Record<string, string>;
    const formats = printed().map((line) => begins[line.slice(0, 8)] ?? line);
    expect(formats.filter((format, i) => format !== formats[i - 1])).toEqual([
      ...["bpfink", "ecs", "bpfink", "ocsf", "bpfink"],
    ]);
    expect(await bpfink(["verify", "--database", bp.database, log])).toMatchObject({ status: 0 });
    const { stdout } = await bpfink(["history", "--database", bp.database, "--json", "--path", file]);
    const lines = stdout.trim().split("\n");
    const added = lines.flatMap((line) => (JSON.parse(line) as { add?: { Content?: string[] } }).add?.Content ?? []);
    expect(added).toEqual(written);
  },
  SLOW,
);

test(
  "one that is asked for while bpfink starts is done when it has",
  async () => {
    using directory = new TemporaryDirectory();
    const [a, b] = [directory.write("a"), directory.write("b")];
    const config = directory.write("bpfink.toml", `watch = ["${a}"]\n`);
    const args = ["--config", config, "--database", ":memory:"];
    const child = Bun.spawn([BPFINK, ...args], { stdout: "pipe", stderr: "ignore", env: environment() });
    const catches = () => /^SigCgt:\s*[0-9a-f]*[13579bdf]$/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8"));
    await until("handler", catches);
    writeFileSync(config, `watch = ["${a}", "${b}"]\n`);
    child.kill("SIGHUP");
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += Buffer.from(chunk).toString();
      if (printed.includes('"action":"reloaded"')) break;
    }
    const lines = printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([{ action: "started" }, { action: "reloaded", watched: 2 }]);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  },
  SLOW,
);

test(
  "a canary that is ended while it is blind goes on until events come, and says so",
  async () => {
    using directory = new TemporaryDirectory();
    const rest = `watch = ["${directory.write("f", "0\n")}"]\nbackend = "fanotify"\n`;
    await using bp = await reloadable(directory, `${rest}canary = 2\n`);
    const song = () => readFileSync(`${bp.database}-canary`, "utf8");
    expect(takeMarks(bp.running.pid)).toBe(true);
    await bp.running.line({ action: "blind" });
    await bp.reload(`${rest}canary = 0\n`);
    await bp.running.line({ action: "seeing" });
    const last = song();
    await Bun.sleep(2500);
    expect(song()).toBe(last);
  },
  SLOW,
);

test(
  "canary and rescan: begun, made faster, ended",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "0\n");
    const rest = `watch = ["${file}"]\ngraphite = "-"\ngraphite-interval = "1s"\n`;
    await using bp = await reloadable(directory, `${rest}canary = 0\nrescan = "0s"\n`);
    const canary = `${bp.database}-canary`;
    const song = () => readFileSync(canary, "utf8");
    const looks = async () => {
      const values = async () => [...(await bp.running.stderr(/\.looks \d+/)).matchAll(/\.looks (\d+)/g)];
      const before = (await values()).length;
      let found = await values();
      for (; found.length < before + 2; found = await values()) await Bun.sleep(100);
      return Number(found.at(-1)![1]);
    };
    expect(existsSync(canary)).toBe(false);
    const quiet = await looks();
    expect(await looks()).toBe(quiet);

    await bp.reload(`${rest}canary = 1\nrescan = "1s"\n`);
    const heard = song();
    await until("song", () => song() !== heard);
    const afterReload = await looks();
    expect(await looks()).toBeGreaterThan(afterReload);

    await bp.reload(`${rest}canary = 600\nrescan = "1h"\n`);
    const slow = song();
    const before = await looks();
    expect(await looks()).toBe(before);
    expect(song()).toBe(slow);

    await bp.reload(`${rest}canary = 0\nrescan = "0s"\n`);
    writeFileSync(file, "1\n");
    expect(await bp.running.only(file)).toMatchObject({ origin: "live" });
    expect(bp.running.lines.filter(({ action }) => action === "blind")).toEqual([]);
  },
  2 * SLOW,
);

test(
  "keep and keep-size: old lines go at once",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "0\n");
    await using bp = await reloadable(directory, `watch = ["${file}"]\n`);
    const change = async (text: string) => {
      writeFileSync(file, text);
      await bp.running.only(file);
    };
    const kept = async () => {
      const { stdout } = await bpfink(["history", "--database", bp.database, "--json"]);
      return stdout.split("\n").length - 1;
    };
    for (let i = 1; i <= 3; i++) await change(`${i}\n`);
    expect(await kept()).toBeGreaterThan(3);
    await bp.reload(`watch = ["${file}"]\nkeep = "0s"\n`);
    expect(await kept()).toBeLessThanOrEqual(1); // the line of the reload itself
    await bp.reload(`watch = ["${file}"]\n`);
    for (let i = 1; i <= 3; i++) await change(`again ${i}\n`);
    expect(await kept()).toBeGreaterThan(3);
    await bp.reload(`watch = ["${file}"]\nkeep-size = "0K"\n`);
    expect(await kept()).toBeLessThanOrEqual(1);
    expect(await bpfink(["verify", "--database", bp.database])).toMatchObject({ status: 0 });
  },
  SLOW,
);

test(
  "chain-key: another key from the line behind the reload's on; the file may be gone; one that is no key is refused",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "0\n");
    const keys = ["a", "b"].map((name) => directory.write(`key-${name}`, name.repeat(32), 0o600));
    const [a, b] = keys as [string, string];
    const settings = (key?: string) => `watch = ["${file}"]\n${key === undefined ? "" : `chain-key = "${key}"\n`}`;
    await using bp = await reloadable(directory, settings());
    const change = async (text: string) => {
      writeFileSync(file, text);
      return String((await bp.running.only(file))["hash"]);
    };
    expect(await change("1\n")).not.toStartWith("keyed:");
    await bp.reload(settings(a));
    expect(bp.running.lines.at(-1)?.["hash"]).not.toStartWith("keyed:");
    expect(await change("2\n")).toStartWith("keyed:");
    const verify = (...named: string[]) =>
      bpfink(["verify", "--database", bp.database, ...named.flatMap((key) => ["--chain-key", key])]);
    expect(await verify(a)).toMatchObject({ status: 0 });

    writeFileSync(directory.at("aside"), readFileSync(a), { mode: 0o600 });
    rmSync(a);
    await bp.reload(settings(a));
    await change("3\n");
    expect(await verify(directory.at("aside"))).toMatchObject({ status: 0 });

    writeFileSync(directory.at("bpfink.toml"), settings(directory.at("no-such-key")));
    bp.running.kill("SIGHUP");
    await bp.running.stderr(/not reloaded, .*no-such-key/);

    await bp.reload(settings(b));
    await change("4\n");
    expect(await verify(directory.at("aside"))).toMatchObject({ status: 1 });
    expect(await verify(directory.at("aside"), b)).toMatchObject({ status: 0 });
  },
  SLOW,
);
