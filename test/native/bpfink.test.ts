// The driver: it must see what is wrong, or no other test here can fail.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { digestOf } from "../e2e/line.ts";
import { SLOW } from "../e2e/process.ts";

const backend = "fanotify";
const started = (seq: number) => ({
  time: "2026-01-02T03:04:05.678901Z",
  seq,
  prev: "0".repeat(64),
  level: "info",
  message: "bpfink started",
  host: hostname(),
  version: "0.1.0",
  action: "started",
  backend,
});

/** Lines as they are printed, each with its hash, and the one before it in `prev`. */
function chained(...lines: readonly Record<string, unknown>[]): string[] {
  let prev = "0".repeat(64);
  return lines.map(({ time, seq, prev: _, ...rest }) => {
    const text = JSON.stringify({ time, seq, prev, ...rest });
    const hash = digestOf(text);
    const sealed = text.replace(`"prev":"${prev}"`, `"prev":"${prev}","hash":"${hash}"`);
    prev = hash;
    return sealed;
  });
}

/** Drives something that prints these lines in bpfink's place, to its end. */
async function drive(directory: TemporaryDirectory, lines: readonly unknown[]): Promise<void> {
  const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  directory.write("lines", texts.map((text) => `${text}\n`).join(""));
  const script = `#!/bin/sh\necho oops >&2\ncat '${directory.at("lines")}'\n`;
  await using bp = await Bpfink.start({ executable: directory.write("fake", script, 0o755) });
  await bp.ended();
}

const change = { ...started(2), level: "warn", action: "modified", origin: "live", consumer: "diff", file: "/f" };
const { host: _, ...nowhere } = started(1);

const wrong: readonly (readonly [what: string, told: RegExp, ...lines: unknown[]])[] = [
  ["nothing", /ended with status 0 before .*started[^]*oops/],
  ["what is no JSON", /JSON[^]*oops/, "bpfink started"],
  ["an empty line", /JSON/, "", started(1)],
  ["a line without a key", /wrong host/, nowhere],
  ["a time that is no time", /wrong time/, { ...started(1), time: "2026-01-02 03:04" }],
  ["a seq that does not rise", /wrong seq/, ...chained(started(1), started(1))],
  ["another backend", /wrong backend/, { ...started(1), backend: "inotify" }],
  ["a change with a level that rules would not find", /wrong level/, { ...change, level: "info" }],
  ["a change without its file", /wrong file/, { ...change, file: undefined }],
  [
    "a process that is not live",
    /wrong process/,
    { ...change, origin: "startup", process: { name: "x" }, processName: "x" },
  ],
  ["a line without a hash", /wrong chain/, started(1)],
  [
    "a line that is not as it was",
    /wrong chain/,
    ...chained(started(1)).map((text) => text.replace("started", "stopped")),
  ],
  [
    "a line that follows another",
    /wrong chain/,
    ...chained(started(1), started(2)).slice(0, 1),
    ...chained(started(2)),
  ],
];

test.each(wrong)("the driver refuses %s", async (_what, told, ...lines) => {
  using directory = new TemporaryDirectory();
  await expect(drive(directory, lines)).rejects.toThrow(told);
});

test("the driver takes what is right", async () => {
  using directory = new TemporaryDirectory();
  await drive(directory, chained(started(1), change, started(3)));
});

test(
  "the driver finds a line that nobody expected, and misses one that does not come",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "one\n");
    await using bp = await Bpfink.start({ watch: [file] });
    writeFileSync(file, "two\n");
    await expect(bp.noMoreLines()).rejects.toThrow(/no more lines expected, but seq [^]*not taken\n\{.*"file":".*\/f"/);
    await bp.noMoreLines(); // it has been shown
    await expect(bp.line({ file, action: "modified" }, { timeout: 10 })).rejects.toThrow(/within 10 ms/);
    await bp.stop("SIGKILL");
    await expect(bp.nextChange(file)).rejects.toThrow(/ended with status/);
  },
  SLOW,
);
