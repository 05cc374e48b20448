// Metrics, read back from the whisper files of a real Carbon; and servers that are none.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { cleanPart } from "../../src/sinks/metric-names.ts";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { end, PATIENCE, SLOW } from "../e2e/process.ts";

/** How long between two looks at what another process is to bring about, in milliseconds. */
const PACE = 100;

async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = performance.now() + 2 * PATIENCE; performance.now() < deadline; await Bun.sleep(PACE)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`no ${what}`);
}

/** A port that nobody has at the moment. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** A carbon-cache with its files in a directory; one point a second. */
class Carbon implements AsyncDisposable {
  readonly port: number;
  readonly #directory: TemporaryDirectory;
  #child: Bun.Subprocess | undefined;

  constructor(directory: TemporaryDirectory) {
    this.#directory = directory;
    this.port = freePort();
    const at = (name: string) => directory.at(name);
    for (const name of ["whisper", "log", "run"]) mkdirSync(at(name));
    const nowhere = () => `127.0.0.1\nPICKLE_RECEIVER_PORT = ${freePort()}\nCACHE_QUERY_INTERFACE = 127.0.0.1`;
    const lines = [
      "[cache]",
      `STORAGE_DIR = ${at("")}`,
      `LOCAL_DATA_DIR = ${at("whisper")}`,
      `CONF_DIR = ${at("")}`,
      `LOG_DIR = ${at("log")}`,
      `PID_DIR = ${at("run")}`,
      "USER =",
      "MAX_CACHE_SIZE = inf",
      "MAX_UPDATES_PER_SECOND = inf",
      "MAX_CREATES_PER_MINUTE = inf",
      "LINE_RECEIVER_INTERFACE = 127.0.0.1",
      `LINE_RECEIVER_PORT = ${this.port}`,
      `PICKLE_RECEIVER_INTERFACE = ${nowhere()}`,
      `CACHE_QUERY_PORT = ${freePort()}`,
      "ENABLE_LOGROTATION = False",
    ];
    writeFileSync(at("carbon.conf"), `${lines.join("\n")}\n`);
    writeFileSync(at("storage-schemas.conf"), "[all]\npattern = .*\nretentions = 1s:1h\n");
    writeFileSync(at("storage-aggregation.conf"), "");
  }

  async start(): Promise<void> {
    this.#child = Bun.spawn(["carbon-cache", `--config=${this.#directory.at("carbon.conf")}`, "--nodaemon", "start"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    await until("Carbon", async () => {
      try {
        (await Bun.connect({ hostname: "127.0.0.1", port: this.port, socket: { data() {} } })).end();
        return true;
      } catch {
        return undefined;
      }
    });
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** The newest value of a metric that satisfies a condition. */
  async value(metric: string, isRight: (value: number) => boolean = () => true): Promise<number> {
    const file = join(this.#directory.at("whisper"), `${metric.replaceAll(".", "/")}.wsp`);
    return until(`${metric} that is right`, async () => {
      if (!existsSync(file)) return undefined;
      const { stdout } = await end(["whisper-fetch", `--from=${Math.floor(Date.now() / 1000) - 60}`, file]);
      const values = stdout.split("\n").flatMap((line) => {
        const [, value] = line.split("\t");
        return value === undefined || value === "None" ? [] : [Number(value)];
      });
      const last = values.at(-1);
      return last !== undefined && isRight(last) ? last : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

const host = cleanPart(hostname());

test(
  "a real Carbon has the metrics, also after it was killed under load and started again",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "0\n");
    await using carbon = new Carbon(directory);
    await carbon.start();
    const args = ["--graphite", `127.0.0.1:${carbon.port}`, "--graphite-interval", "1s", "--role", "Test Role"];
    await using running = await Bpfink.start({ watch: [file], args });
    const own = `bpfink.by_role.test_role.${host}`;
    const change = async (text: string) => {
      writeFileSync(file, text);
      await running.only(file);
    };

    expect(await carbon.value(`installed.by_role.test_role.${host}.count.hourly`)).toBe(1);
    expect(await carbon.value(`installed.by_role.test_role.${host}.count.hourly.value`)).toBe(1);
    expect(await carbon.value(`installed.by_role.test_role.${host}.version.hourly.value`)).toBeGreaterThan(0);
    expect(await carbon.value(`${own}.watched_files`)).toBe(2);
    expect(await carbon.value(`${own}.memory.rss_bytes`)).toBeGreaterThan(10 << 20);
    expect(await carbon.value(`${own}.database.bytes`)).toBeGreaterThan(4096);
    const before = await carbon.value(`${own}.changes.diff`);
    await change("1\n");
    await carbon.value(`${own}.changes.diff`, (value) => value > before);
    const caught = await carbon.value(
      `bpf.events_caught.by_role.test_role.${host}.count.minutely`,
      (value) => value > 0,
    );
    // each second's sending: as many a second as there are
    const rate = `bpf.events_caught.by_role.test_role.${host}.count.minutely.count_ps`;
    expect(await carbon.value(rate, (value) => value >= caught)).toBeGreaterThanOrEqual(caught);
    expect(await carbon.value(`${own}.events.seen`, (value) => value >= caught)).toBeGreaterThanOrEqual(caught);
    expect(await carbon.value(`${own}.latency.p50_ms`)).toBeGreaterThan(0);
    expect(await carbon.value(`log_level.warn.by_role.test_role.${host}.count.minutely.count`)).toBeGreaterThan(0);

    await carbon.kill();
    await running.stderr(/metrics are not taken by Graphite: /);
    for (let i = 0; i < 20; i++) await change(`killed ${i}\n`);
    await carbon.start();
    await running.stderr(/metrics are taken by Graphite again/);
    await change("again\n");
    await carbon.value(`${own}.changes.diff`, (value) => value >= before + 22);
  },
  4 * SLOW,
);

test(
  "a server that is slow, dead or unknown holds nothing up",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "0\n");
    // takes connections and reads nothing
    using slow = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: (socket) => void socket.pause(), data() {} },
    });
    for (const server of [`127.0.0.1:${slow.port}`, `127.0.0.1:${freePort()}`, "no-such-host.invalid:2003"]) {
      await using running = await Bpfink.start({
        watch: [file],
        args: ["--graphite", server, "--graphite-interval", "1s"],
      });
      if (!server.endsWith(String(slow.port))) await running.stderr(/metrics are not taken by Graphite: /);
      writeFileSync(file, `${server}\n`);
      await running.only(file);
      const stopped = await running.stop();
      expect(stopped.status).toBe(0);
    }
  },
  SLOW,
);

test(
  "--graphite - prints them",
  async () => {
    await using running = await Bpfink.start({ args: ["--graphite", "-"] });
    await running.stderr(
      new RegExp(`^bpfink: metric bpfink\\.by_role\\.unknown_role\\.${host}\\.watched_files \\d+$`, "m"),
    );
  },
  SLOW,
);
