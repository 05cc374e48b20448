// Events that are lost while bpfink does not run, or cannot keep up, are said to be lost, and what they were of is found.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "./files.ts";
import type { Line } from "./line.ts";
import { inVm, SLOW } from "./process.ts";
import { hold, threadStates } from "./threads.ts";

/** The length that fanotify's queue has when it is opened. */
const QUEUE = "/proc/sys/fs/fanotify/max_queued_events";
const FILES = 40;
/** Saves that overflow a ring of 64 KiB and the batch on its way from there, as well as a queue of 32 events. */
const ROUNDS = 3;

const directory = new TemporaryDirectory(MEMORY_FILES);
const names = Array.from({ length: FILES }, (_, i) => `tree/${i}`);
const late = directory.write("tree/late", "before\n");
const queue = readFileSync(QUEUE, "utf8");
let bp: Bpfink;

beforeAll(async () => {
  for (const name of names) directory.write(name, "before\n");
  writeFileSync(QUEUE, "32");
  bp = await Bpfink.start({ watch: [`${directory.path}/tree/*`], args: ["--ring-size", "64K"] });
}, SLOW);

afterAll(async () => {
  writeFileSync(QUEUE, queue);
  await bp[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

/** Makes it stand still; the function returned lets it go on. */
type Halt = () => (() => void) | Promise<() => void>;

const stop: Halt = async () => {
  const paused = await bp.pause();
  return () => paused[Symbol.dispose]();
};

// The thread that reads the ring goes on, and must not take more from there than it can get rid of.
const BEHIND: [string, Halt] = ["falls behind with its main thread", () => hold(bp.pid)];

// being stopped is the same and less, and takes long where the processor is emulated
test.each(inVm ? [BEHIND] : [["is stopped", stop] as typeof BEHIND, BEHIND])(
  "a bpfink that %s under load says what it lost, and reports the last state of every file",
  async (how, halt) => {
    const goOn = await halt();
    const stopped = Date.now() + 1; // in milliseconds, where lines have microseconds
    for (let round = 1; round <= ROUNDS; round++) {
      for (const name of names) writeFileSync(directory.at(name), `${how} ${round}\n`);
    }
    // the thread that reads the ring may have taken a batch since: when it rests it takes no other, and the room is used up
    while (threadStates(bp.pid).some((state) => state === "R" || state === "D")) await Bun.sleep(1);
    for (const name of names) for (let i = 0; i < ROUNDS; i++) writeFileSync(directory.at(name), `${how} ${ROUNDS}\n`);
    writeFileSync(late, `${how}\n`); // of which no event finds room
    const continued = Date.now();
    goOn();
    // lost while it was stopped, and noticed when it went on
    const timeOf = (line: Line, key: string) => Date.parse(String(line[key]));
    const isOfThis = (line: Line) =>
      line.action === "gap" && timeOf(line, "since") <= stopped && timeOf(line, "until") >= continued;
    const gap = await bp.line(isOfThis);
    expect(gap).toMatchObject({ level: "error", message: "events lost, looking at everything" });
    // the ring counts what it has no room for, fanotify does not
    if (inVm) expect(gap["lost"]).toBeGreaterThan(0);
    // looking at everything goes on after that line, and lets other lines go before its own
    const found = await bp.line({ file: late });
    expect(found).toMatchObject({ action: "modified", origin: "gap", add: { Content: [how] } });
    expect(found).not.toHaveProperty("process");
    const changes = (await bp.rest()).filter(({ action }) => action !== "gap"); // it may be noticed in two parts
    const last = new Map(changes.map((line) => [line.file, line.add]));
    const expected = names.map((name) => [directory.at(name), { Content: [`${how} ${ROUNDS}`] }] as const);
    expect(last).toEqual(new Map(expected));
  },
  SLOW,
);
