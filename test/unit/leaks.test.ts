// Files that come and go leave nothing behind in memory: the objects there are counted, so it is no matter of the
// collector's mood.
import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Monitor } from "../../src/monitor.ts";
import { openFanotify } from "../../src/source/fanotify.ts";
import { SharedSource } from "../../src/source/shared.ts";
import { MEMORY } from "../../src/state/open.ts";
import { Store } from "../../src/state/store.ts";
import { select } from "../../src/watch/selection.ts";

/** At a time: fewer than fanotify's queue has room for. */
const FILES = 200;
const ROUNDS = 6;
/** Objects that may be left of two rounds: a fourth of one a file. It varies by some 20. */
const BOUND = FILES / 2;

async function until(isTrue: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !isTrue(); await Bun.sleep(5))
    if (performance.now() > deadline) throw new Error("it does not come to an end");
}

/** In another process: what bpfink does itself it does not tell. */
const shell = (script: string) => Bun.spawn(["sh", "-c", script]).exited;

test("files are created and deleted, and no object is left of them", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-leaks-"));
  const tree = join(directory, "tree");
  mkdirSync(tree);
  using store = Store.open(MEMORY);
  using source = openFanotify();
  const shared = new SharedSource(source);
  const selection = select([tree], []);
  const monitor = new Monitor({ store, source: shared.share(), root: "/", selection, onLine: () => {} });
  try {
    const ignore = () => {};
    source.start({ onEvent: (event) => monitor.onEvent(event), onLost: ignore, onError: ignore });
    monitor.lookAtAll();
    const told = { created: 0, deleted: 0 };
    const count = (action: keyof typeof told): number => {
      for (const line of deliver(store))
        for (const word of ["created", "deleted"] as const) if (line.includes(`"action":"${word}"`)) told[word]++;
      return told[action];
    };
    const objects: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await shell(`cd ${tree} && seq -f ${round}-%g ${FILES} | xargs touch`);
      await until(() => count("created") === (round + 1) * FILES);
      expect(monitor.size).toBe(1 + FILES);
      await shell(`rm ${tree}/*`);
      await until(() => count("deleted") === (round + 1) * FILES);
      await until(() => monitor.size === 1);
      await Bun.sleep(200); // looks that are due a moment later
      Bun.gc(true);
      objects.push(heapStats().objectCount);
    }
    const [early, late] = [objects.at(-3)!, objects.at(-1)!];
    expect(late - early, objects.join(" ")).toBeLessThan(BOUND);
  } finally {
    monitor.stop();
    rmSync(directory, { recursive: true });
  }
}, 60_000);

/** Takes the lines, as a sink does. */
function deliver(store: Store): string[] {
  const entries = store.undelivered(0, 10_000);
  const last = entries.at(-1);
  if (last !== undefined) store.delivered(last.seq);
  return entries.map(({ line }) => line);
}
