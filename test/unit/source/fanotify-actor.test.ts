import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { KernelEvent } from "../../../src/event.ts";
import { isRoot } from "../../../src/kernel/libc.ts";
import { openFanotify } from "../../../src/source/fanotify.ts";
import { Rig } from "./fanotify-rig.ts";

const root = isRoot();
/** proc_sys_kernel(5): the next process gets the number after the one written here. */
const lastPid = "/proc/sys/kernel/ns_last_pid";

test.skipIf(!root)("a process that ends at once is reported right, or not at all", async () => {
  using rig = new Rig(tmpdir());
  rig.watch(rig.d, "directory", "d");
  rig.start();
  const children = Array.from({ length: 50 }, (_, i) => Bun.spawn(["sh", "-c", `: > ${rig.d}/${i}`]));
  await Promise.all(children.map((child) => child.exited));
  await rig.settle();
  expect(rig.seen.length).toBe(50);
  for (const { actor, event } of rig.seen) {
    const { pid } = children[Number(event.entries[0]?.name)]!;
    if (actor !== undefined) expect(actor.process).toMatchObject({ pid, name: "sh", ppid: process.pid });
  }
});

test.skipIf(!root || !existsSync(lastPid))("a number that was given to another process names nobody", async () => {
  using rig = new Rig(tmpdir());
  rig.watch(rig.d, "directory", "d");
  rig.start();
  // All of this happens before our loop runs again and reads the event.
  for (let attempt = 0; ; attempt++) {
    const { pid } = Bun.spawnSync(["sh", "-c", `: > ${rig.d}/${attempt}`]);
    writeFileSync(lastPid, String(pid - 1));
    await using heir = Bun.spawn(["sleep", "1000"]);
    if (heir.pid !== pid) continue; // another process on this machine was quicker
    await rig.until(() => rig.seen.some(({ event }) => event.entries[0]?.name === String(attempt)));
    expect(rig.seen.map(({ actor }) => actor)).toEqual(rig.seen.map(() => undefined));
    break;
  }
});

test.skipIf(!root)("an actor is for the time of onEvent: a copy keeps it, a late question gets none", async () => {
  using rig = new Rig(tmpdir());
  using source = openFanotify();
  source.watch({ path: rig.d, device: 0, inode: 0n, as: "directory", inherit: false });
  const { promise, resolve } = Promise.withResolvers<[KernelEvent, KernelEvent]>();
  const events: KernelEvent[] = [];
  source.start({
    onEvent(event) {
      events.push(events.length === 0 ? event : { ...event });
      if (events.length === 2) resolve([events[0]!, events[1]!]);
    },
    onLost() {},
    onError() {},
  });
  writeFileSync(`${rig.d}/1`, "");
  writeFileSync(`${rig.d}/2`, "");
  const [late, copy] = await promise;
  expect(late.actor).toBeUndefined();
  expect(copy.actor?.process.pid).toBe(process.pid);
});
