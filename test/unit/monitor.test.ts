import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { Monitor } from "../../src/monitor.ts";
import { Store } from "../../src/state/store.ts";
import { PATIENCE, QUIET } from "../../src/watch/dispatch.ts";
import { select } from "../../src/watch/selection.ts";
import { actorOf, entryEvent, eventOf } from "./watch/events.ts";
import { knownKey, RecordingSource, Rig } from "./watch/watchset-rig.ts";

let rig: Rig;
let store: Store;
let monitor: Monitor;
/** Whether the kernel has told of nothing that was not taken. */
let isTold: boolean;
/** How long events are on their way, in milliseconds, while nothing else says that they are taken. */
let lag: number;

class TellingSource extends RecordingSource {
  untilNow = () => {
    const now = performance.now();
    return () => isTold || performance.now() > now + lag;
  };
}

beforeEach(() => {
  isTold = true;
  lag = Infinity;
  rig = new Rig();
  store = Store.open(":memory:");
  monitor = new Monitor({
    ...{ store, source: new TellingSource(), root: rig.root, onLine: () => {} },
    selection: select(["/etc"], []),
  });
  monitor.lookAtAll();
});
afterEach(() => {
  monitor.stop();
  store[Symbol.dispose]();
  rig[Symbol.dispose]();
});

interface Told {
  readonly action: string;
  readonly file: string;
  readonly origin: string;
  readonly process?: { readonly pid: number };
  readonly actors?: readonly { readonly process: { readonly pid: number } }[];
}
const lines = () => store.undelivered(0, 100).map(({ line }) => JSON.parse(line) as Told);

test.each(["gap", "rescan"] as const)(
  "what is gone, and its event still waits for a look, is left to that look by a look at everything (%s)",
  async (origin) => {
    const etc = knownKey(rig.at("etc"));
    rmSync(rig.at("etc/ssh"), { recursive: true });
    monitor.onEvent({ ...entryEvent("gone", etc, "ssh"), actor: actorOf(7) });
    await monitor.rescan(origin);
    monitor.stop();
    const told = lines().map(({ action, file, origin }) => `${origin} ${action} ${file}`);
    expect(told.sort()).toEqual(["live deleted /etc/ssh", "live deleted /etc/ssh/config"]);
  },
);

/** An event of a file by a process. */
const act = (kind: "write" | "close", name: string, pid: number) => ({
  ...eventOf(kind, BigInt(pid), actorOf(pid)),
  node: knownKey(rig.at(`etc/${name}`)),
});

// Else who wrote first, and was seen, is blamed for what the second wrote, whose event is still on its way.
test("what several did is told when the events of all of them have been taken", async () => {
  writeFileSync(rig.at("etc/passwd"), "by both\n");
  isTold = false;
  monitor.onEvent(act("write", "passwd", 7));
  monitor.onEvent(act("close", "passwd", 7));
  await Bun.sleep(2 * QUIET);
  expect(lines()).toEqual([]);
  monitor.onEvent(act("write", "passwd", 8));
  monitor.onEvent(act("close", "passwd", 8));
  isTold = true;
  await Bun.sleep(2 * QUIET);
  const [line, ...others] = lines();
  expect(others).toEqual([]);
  expect(line).toMatchObject({ file: "/etc/passwd", process: { pid: 8 } });
  expect(line?.actors?.map(({ process }) => process.pid)).toEqual([7, 8]);
});

test("what is written again and again is told after a while, although there are always more events on their way", async () => {
  isTold = false;
  lag = 100; // so at no moment all of them have come
  const begin = performance.now();
  for (let i = 0; lines().length === 0; i++) {
    writeFileSync(rig.at("etc/passwd"), `${i}\n`);
    monitor.onEvent(act("write", "passwd", 7));
    await Bun.sleep(5);
    expect(performance.now() - begin).toBeLessThan(4 * PATIENCE);
  }
  expect(lines()[0]).toMatchObject({ file: "/etc/passwd", process: { pid: 7 } });
});
