import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { NodeKey } from "../../src/event.ts";
import { Monitor } from "../../src/monitor.ts";
import { Store } from "../../src/state/store.ts";
import type { MountChanges } from "../../src/watch/mount-table.ts";
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

/** Whether events were lost a moment ago. */
let isLossy: boolean;

class TellingSource extends RecordingSource {
  hasLost = () => isLossy;
  untilNow = () => {
    const now = performance.now();
    return () => isTold || performance.now() > now + lag;
  };
}

/** Changes of the mount table that are to be seen, and what happens once nobody has seen any. */
let mounts: { changes?: MountChanges; meanwhile?: () => MountChanges };

beforeEach(() => {
  mounts = {};
  isTold = true;
  isLossy = false;
  lag = Infinity;
  rig = new Rig();
  store = Store.open(":memory:");
  monitor = new Monitor({
    ...{ store, source: new TellingSource(), root: rig.root, onLine: () => {} },
    selection: select(["/etc"], []),
    checkMounts: () => {
      const { changes, meanwhile } = mounts;
      mounts = meanwhile === undefined ? {} : { changes: meanwhile() };
      if (changes !== undefined) monitor.onMounts(changes);
    },
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
  readonly previous?: string;
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

test.each([false, true])("who only had a file open is named unless events were lost (%s)", async (isLost) => {
  isLossy = isLost;
  writeFileSync(rig.at("etc/passwd"), "by somebody\n");
  monitor.onEvent(act("close", "passwd", 7));
  await Bun.sleep(4 * QUIET);
  expect(lines().map(({ file, process }) => [file, process?.pid])).toEqual([["/etc/passwd", isLost ? undefined : 7]]);
});

// The second look after a change, say, while the next one is on its way.
test.each(["/etc/passwd", "/etc"])(
  "what is mounted over %s while a path is looked at is no other change",
  async (at) => {
    const mount = { id: 99, root: "/", point: rig.at(at.slice(1)), type: "ext4", source: "/dev/vdb" };
    mounts.meanwhile = () => {
      writeFileSync(rig.at("etc/over"), "what is mounted\n");
      renameSync(rig.at("etc/over"), rig.at("etc/passwd"));
      return { added: [mount], removed: [] };
    };
    monitor.onEvent(act("close", "passwd", 7));
    await Bun.sleep(8 * QUIET);
    const [line, ...others] = lines().filter(({ file }) => file === "/etc/passwd");
    expect(others).toEqual([]);
    expect(line).toMatchObject({ action: "covered", mount: { point: mount.point } });
  },
);

test("who looks a name up is named for nothing that is found then", async () => {
  const etc = knownKey(rig.at("etc"));
  const looksUp = (name: string) => ({ ...entryEvent("lookup", etc, name), actor: actorOf(7) });
  writeFileSync(rig.at("etc/passwd"), "by another\n");
  monitor.onEvent(looksUp("passwd"));
  monitor.onEvent(act("write", "passwd", 8));
  writeFileSync(rig.at("etc/found"), "by nobody that is known\n");
  monitor.onEvent(looksUp("found"));
  monitor.onEvent(looksUp("shadow"));
  await Bun.sleep(4 * QUIET);
  const [line, found, ...others] = lines().sort((a, b) => b.file.localeCompare(a.file));
  expect(others).toEqual([]);
  expect(line).toMatchObject({ file: "/etc/passwd", process: { pid: 8 } });
  expect(line).not.toHaveProperty("actors");
  expect(found).toMatchObject({ file: "/etc/found", action: "created" });
  expect(found).not.toHaveProperty("process");
});

test("who made a file is named though it was found before that was told", async () => {
  isTold = false;
  const etc = knownKey(rig.at("etc"));
  writeFileSync(rig.at("etc/new"), "one\n");
  monitor.onEvent({ ...eventOf("attributes", 1n), node: etc });
  await Bun.sleep(2 * QUIET);
  monitor.onEvent({ ...entryEvent("birth", etc, "new"), node: knownKey(rig.at("etc/new")), actor: actorOf(7) });
  isTold = true;
  await Bun.sleep(3 * QUIET);
  expect(lines()).toMatchObject([{ file: "/etc/new", action: "created", process: { pid: 7 } }]);
});

describe("what is told to be born before it can be seen", () => {
  let etc: NodeKey;
  const toldOf = (kind: "birth" | "gone") => monitor.onEvent({ ...entryEvent(kind, etc, "new"), actor: actorOf(7) });
  beforeEach(() => {
    etc = knownKey(rig.at("etc"));
    toldOf("birth");
  });

  test("is waited for", async () => {
    await Bun.sleep(10 * QUIET); // whoever makes it was preempted
    writeFileSync(rig.at("etc/new"), "one\n");
    await Bun.sleep(4 * QUIET);
    expect(lines()).toMatchObject([{ file: "/etc/new", action: "created", process: { pid: 7 } }]);
  });

  test("and goes again, or is not there after a second, was nothing", async () => {
    const { size } = monitor;
    toldOf("gone");
    await Bun.sleep(4 * QUIET);
    expect(monitor.size).toBe(size - 1);
    toldOf("birth");
    expect(monitor.size).toBe(size);
    await Bun.sleep(PATIENCE + 10 * QUIET);
    expect(monitor.size).toBe(size - 1);
    expect(lines()).toEqual([]);
  });
});

test("what is looked up in a directory that just came is told with who brought it", async () => {
  const etc = knownKey(rig.at("etc"));
  mkdirSync(rig.at("new"));
  writeFileSync(rig.at("new/file"), "one\n");
  renameSync(rig.at("new"), rig.at("etc/new"));
  const to = { directory: etc, name: "new" };
  const from = { directory: knownKey(rig.root), name: "new" };
  monitor.onEvent({ ...eventOf("rename", 1n, actorOf(7)), node: knownKey(rig.at("etc/new")), entries: [from, to] });
  monitor.onEvent({ ...entryEvent("lookup", knownKey(rig.at("etc/new")), "file"), actor: actorOf(8) });
  await Bun.sleep(4 * QUIET);
  expect(lines()).toMatchObject([
    { file: "/etc/new", process: { pid: 7 } },
    { file: "/etc/new/file", process: { pid: 7 } },
  ]);
});

describe("a move is told as such", () => {
  let etc: NodeKey;
  let ssh: NodeKey;
  const named = (name: string) => ({ directory: etc, name });
  const move = () =>
    monitor.onEvent({ ...eventOf("rename", 2n, actorOf(7)), node: ssh, entries: [named("ssh"), named("moved")] });

  beforeEach(() => {
    etc = knownKey(rig.at("etc"));
    ssh = knownKey(rig.at("etc/ssh"));
    renameSync(rig.at("etc/ssh"), rig.at("etc/moved"));
  });
  afterEach(() => {
    const moves = lines().map(({ action, file, previous, process }) => [action, previous, file, process?.pid]);
    expect(moves.sort()).toEqual([
      ["moved", "/etc/ssh", "/etc/moved", 7],
      ["moved", "/etc/ssh/config", "/etc/moved/config", 7],
    ]);
  });

  test("though it is seen before it is told", async () => {
    isTold = false;
    monitor.onEvent({ ...eventOf("close", 1n, actorOf(8)), node: ssh });
    monitor.onEvent({ ...eventOf("close", 1n, actorOf(8)), node: knownKey(rig.at("etc/moved/config")) });
    await Bun.sleep(2 * QUIET);
    expect(lines()).toEqual([]);
    move();
    isTold = true;
    await Bun.sleep(4 * QUIET);
  });

  // Before Linux 6.16 the names in rename(2) are looked up in a way that looks like a birth.
  test("though the name was looked up for it", async () => {
    monitor.onEvent({ ...entryEvent("birth", etc, "ssh"), node: ssh, actor: actorOf(7) });
    move();
    await Bun.sleep(4 * QUIET);
  });
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

describe("a change whose label is not known yet", () => {
  /** Whether the package manager has noted what it did. */
  let isNoted = false;
  let labelled: Monitor;

  beforeEach(() => {
    isNoted = false;
    monitor.stop();
    labelled = new Monitor({
      ...{ store, source: new TellingSource(), root: rig.root, onLine: () => {} },
      selection: select(["/etc/passwd"], []),
      labels: ({ digest }) => ({ keys: { package: isNoted }, isOpen: digest !== undefined && !isNoted }),
    });
    labelled.lookAtAll();
  });
  afterEach(() => labelled.stop());

  const user = "a:x:0:0::/:/bin/sh\n";
  const change = async (content: string) => {
    writeFileSync(rig.at("etc/passwd"), content);
    for (const kind of ["write", "close"] as const) labelled.onEvent(act(kind, "passwd", 7));
    await Bun.sleep(3 * QUIET);
  };

  test("waits, and is not found a second time", async () => {
    await change(user);
    await change(user);
    await labelled.rescan("rescan");
    expect(lines()).toEqual([]);
    isNoted = true;
    while (lines().length === 0) await Bun.sleep(10);
    labelled.stop();
    expect(lines()).toMatchObject([{ file: "/etc/passwd", package: true, process: { pid: 7 } }]);
  });

  test("comes before the next one, even if that undoes it", async () => {
    const before = readFileSync(rig.at("etc/passwd"), "utf8");
    await change(user);
    expect(lines()).toEqual([]);
    await change(before);
    expect(lines()).toHaveLength(1);
    labelled.stop();
    expect(lines()).toHaveLength(2);
  });

  test("comes before the end of the file", async () => {
    await change(user);
    const gone = { ...entryEvent("gone", knownKey(rig.at("etc")), "passwd"), actor: actorOf(8) };
    rmSync(rig.at("etc/passwd"));
    labelled.onEvent(gone);
    labelled.stop();
    expect(lines().map(({ action }) => action)).toEqual(["modified", "deleted"]);
  });
});
