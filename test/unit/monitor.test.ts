import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { Monitor } from "../../src/monitor.ts";
import { Store } from "../../src/state/store.ts";
import { select } from "../../src/watch/selection.ts";
import { actorOf, entryEvent } from "./watch/events.ts";
import { knownKey, RecordingSource, Rig } from "./watch/watchset-rig.ts";

let rig: Rig;
let store: Store;
let monitor: Monitor;

beforeEach(() => {
  rig = new Rig();
  store = Store.open(":memory:");
  monitor = new Monitor({
    ...{ store, source: new RecordingSource(), root: rig.root, onLine: () => {} },
    selection: select(["/etc"], []),
  });
  monitor.lookAtAll();
});
afterEach(() => {
  store[Symbol.dispose]();
  rig[Symbol.dispose]();
});

const lines = () =>
  store.undelivered(0, 100).map(({ line }) => JSON.parse(line) as { action: string; file: string; origin: string });

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
