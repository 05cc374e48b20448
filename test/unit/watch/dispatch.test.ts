import { describe, expect, test } from "bun:test";
import type { KernelEvent } from "../../../src/event.ts";
import { Dispatch, type Occasion, type Outcome, PATIENCE, QUIET } from "../../../src/watch/dispatch.ts";
import type { Target } from "../../../src/watch/target.ts";
import { actorOf, eventOf, sightingOf, targetOf } from "./events.ts";

const passwd = targetOf("/etc/passwd");
const shadow = targetOf("/etc/shadow");
const [a, b] = [actorOf(1), actorOf(2)];

interface Look {
  readonly target: Target;
  readonly occasion: Occasion;
  /** performance.now(), as for the events. */
  readonly at: number;
}

/** The event loop has done what was asked for before. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A dispatch, and the looks that it made. */
class Rig {
  readonly looks: Look[] = [];
  readonly dispatch: Dispatch;
  #changed = Promise.withResolvers<void>();

  /**
   * @param result what comes of a look; may act on the dispatch as a look does
   * @param untilNow as a Source has it
   */
  constructor(result: (target: Target, occasion: Occasion) => Outcome = () => "same", untilNow = () => () => true) {
    this.dispatch = new Dispatch((target, occasion) => {
      this.looks.push({ target, occasion, at: performance.now() });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
      return result(target, occasion);
    }, untilNow);
  }

  /** Notes events of one turn. Returns when. */
  note(target: Target, ...events: KernelEvent[]): number {
    const at = performance.now();
    for (const event of events) this.dispatch.note(target, event);
    return at;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Every look that is still to come has come once this resolves: that of a later event on a target of its own. */
  async quiet(): Promise<void> {
    const last = targetOf("/quiet");
    this.note(last, eventOf("write", 0n));
    await this.until(() => this.looks.some(({ target }) => target === last));
    this.looks.splice(
      this.looks.findIndex(({ target }) => target === last),
      1,
    );
  }

  get occasions(): Occasion[] {
    return this.looks.map(({ occasion }) => occasion);
  }
}

const finished: [string, KernelEvent[]][] = [
  ["written and closed", [eventOf("write", 1n, a), eventOf("close", 2n, a)]],
  ["renamed", [eventOf("rename", 1n, a)]],
  ["born and closed", [eventOf("birth", 1n, a), eventOf("close", 2n, a)]],
];

test.each(finished)("what was %s is looked at at once, and once more when quiet", async (_, events) => {
  const rig = new Rig();
  rig.note(passwd, ...events);
  expect(rig.looks).toEqual([]); // never within note()
  await turn();
  expect(rig.looks.length).toBe(1);
  await rig.until(() => rig.looks.length === 2);
  await rig.quiet();
  const { kind } = events[0]!;
  const sightings = [sightingOf(a, { first: 1n, last: BigInt(events.length), renamed: kind === "rename" })];
  const born = kind === "birth" ? { born: true } : {};
  expect(rig.occasions).toEqual([
    { sightings, settled: false, final: false, ...born },
    { sightings, settled: true, final: false, ...born },
  ]);
  const [first, second] = rig.looks;
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(QUIET);
});

const unfinished: [string, KernelEvent][] = [
  ["written", eventOf("write", 1n, a)],
  ["born", eventOf("birth", 1n, a)],
  ["gone", eventOf("gone", 1n, a)],
  ["given other attributes", eventOf("attributes", 1n, a)],
];

test.each(unfinished)("what was %s is looked at once, when quiet", async (_, event) => {
  const rig = new Rig();
  const noted = rig.note(passwd, event);
  await rig.until(() => rig.looks.length === 1);
  await rig.quiet();
  const born = event.kind === "birth" ? { born: true } : {};
  expect(rig.occasions).toEqual([{ sightings: [sightingOf(a)], settled: true, final: false, ...born }]);
  expect(rig.looks[0]!.at - noted).toBeGreaterThanOrEqual(QUIET);
});

test("what is born and cannot be seen yet is looked at for a second, the last time whatever is found", async () => {
  const rig = new Rig((_, { final }) => (final ? "same" : "unborn"));
  const noted = rig.note(passwd, eventOf("birth", 1n, a));
  await rig.until(() => rig.occasions.at(-1)?.final === true);
  const count = rig.looks.length;
  expect(rig.looks.at(-1)!.at - noted).toBeGreaterThanOrEqual(PATIENCE);
  expect(count).toBeGreaterThan(PATIENCE / QUIET / 4);
  await rig.quiet();
  expect(rig.looks.length).toBe(count);
});

test("a close without a write finishes nothing", async () => {
  const rig = new Rig();
  const noted = rig.note(passwd, eventOf("close", 1n, a));
  await rig.until(() => rig.looks.length === 1);
  await rig.quiet();
  expect(rig.occasions).toEqual([{ sightings: [sightingOf(a, { acted: false })], settled: true, final: false }]);
  expect(rig.looks[0]!.at - noted).toBeGreaterThanOrEqual(QUIET);
});

test("a write after the close of the same turn opens the matter again", async () => {
  const rig = new Rig();
  rig.note(passwd, eventOf("write", 1n, a), eventOf("close", 2n, a), eventOf("write", 3n, b));
  await rig.until(() => rig.looks.length === 1);
  await rig.quiet();
  expect(rig.occasions).toEqual([
    { sightings: [sightingOf(a, { last: 2n }), sightingOf(b, { first: 3n, last: 3n })], settled: true, final: false },
  ]);
});

test("each event puts off the look, until things are quiet", async () => {
  const rig = new Rig();
  let last = 0;
  for (let i = 0; i < 10; i++) {
    last = rig.note(passwd, eventOf("write", BigInt(i), a));
    await Bun.sleep(1);
  }
  await rig.until(() => rig.looks.length > 0);
  const looked = rig.looks.at(-1)!;
  expect(looked.at - last).toBeGreaterThanOrEqual(QUIET);
});

test("a writer that never pauses is looked at when patience ends, and again after as long", async () => {
  // What is looked at only when quiet is never looked at sooner than QUIET after an event. A machine that stops for
  // that long proves nothing, so there is more than one try.
  for (let tries = 0; ; tries++) {
    const rig = new Rig();
    let time = 0n;
    let last = 0;
    const waits: number[] = [];
    while (waits.length < 2) {
      const start = performance.now();
      while (performance.now() - start < PATIENCE) {
        last = rig.note(passwd, eventOf("write", time++, a));
        Bun.sleepSync(1);
      }
      await rig.until(() => rig.looks.length > waits.length);
      waits.push(rig.looks.at(-1)!.at - last);
    }
    expect(rig.looks[1]!.occasion.sightings).toEqual([
      sightingOf(a, { first: rig.looks[0]!.occasion.sightings[0]!.last + 1n, last: time - 1n }),
    ]);
    if (waits.every((wait) => wait < QUIET)) break;
    expect(tries).toBeLessThan(3);
  }
}, 20_000);

test("ten thousand events on one file are a few looks, and name the process once", async () => {
  const rig = new Rig();
  for (let i = 0; i < 10; i++) {
    const pair = [eventOf("write", 1n, a), eventOf("close", 2n, a)];
    rig.note(passwd, ...Array.from({ length: 500 }, () => pair).flat());
    await turn();
  }
  await rig.until(() => rig.looks.at(-1)?.occasion.settled === true);
  await rig.quiet();
  expect(rig.looks.length).toBeLessThanOrEqual(12); // one a turn, and those when quiet
  for (const { sightings } of rig.occasions) expect(sightings.map(({ actor }) => actor)).toEqual([a]);
});

describe("what a line has named", () => {
  test("is marked as reported for the look after it", async () => {
    const rig = new Rig((_, { settled }) => (settled ? "same" : "line"));
    rig.note(passwd, eventOf("rename", 1n, a));
    await rig.until(() => rig.looks.length === 2);
    expect(rig.occasions).toEqual([
      { sightings: [sightingOf(a, { renamed: true })], settled: false, final: false },
      { sightings: [sightingOf(a, { renamed: true, reported: true })], settled: true, final: false },
    ]);
  });

  test("is apart from what the process does next", async () => {
    const rig = new Rig(() => "line");
    rig.note(passwd, eventOf("rename", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    rig.note(passwd, eventOf("write", 2n, a), eventOf("write", 3n, b));
    await rig.until(() => rig.looks.length === 2);
    expect(rig.occasions[1]).toEqual({
      sightings: [
        sightingOf(a, { renamed: true, reported: true }),
        sightingOf(a, { first: 2n, last: 2n }),
        sightingOf(b, { first: 3n, last: 3n }),
      ],
      settled: true,
      final: false,
    });
  });

  test("is forgotten after the settled look", async () => {
    const rig = new Rig(() => "line");
    rig.note(passwd, eventOf("write", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    rig.note(passwd, eventOf("write", 2n, b));
    await rig.until(() => rig.looks.length === 2);
    expect(rig.occasions[1]).toEqual({
      sightings: [sightingOf(b, { first: 2n, last: 2n })],
      settled: true,
      final: false,
    });
  });

  test("finishes nothing when it is closed: the close after the look on a rename", async () => {
    const rig = new Rig(() => "line");
    rig.note(passwd, eventOf("rename", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    rig.note(passwd, eventOf("close", 2n, b));
    await rig.until(() => rig.looks.length === 2);
    await rig.quiet();
    expect(rig.occasions.map(({ settled }) => settled)).toEqual([false, true]);
  });
});

test("targets do not wait for each other", async () => {
  const rig = new Rig();
  rig.note(passwd, eventOf("write", 1n, a));
  rig.note(shadow, eventOf("rename", 2n, b));
  await rig.until(() => rig.looks.length === 3);
  await rig.quiet();
  const order = rig.looks.map(({ target, occasion }) => `${target.path} ${occasion.settled}`);
  expect(order[0]).toBe("/etc/shadow false");
  expect(order.slice(1).sort()).toEqual(["/etc/passwd true", "/etc/shadow true"]);
  const sightings = Object.fromEntries(rig.looks.map(({ target, occasion }) => [target.path, occasion.sightings]));
  expect(sightings).toEqual({
    "/etc/passwd": [sightingOf(a)],
    "/etc/shadow": [sightingOf(b, { first: 2n, last: 2n, renamed: true })],
  });
});

describe("a look that finds something that is not to be reported yet", () => {
  test("is followed by another, the last of which is final", async () => {
    const rig = new Rig(() => "early");
    rig.note(passwd, eventOf("rename", 1n, a));
    await rig.until(() => rig.looks.length === 3);
    await rig.quiet();
    const sightings = [sightingOf(a, { renamed: true })];
    expect(rig.occasions.slice(0, 3)).toEqual([
      { sightings, settled: false, final: false },
      { sightings, settled: true, final: false, told: true },
      { sightings, settled: true, final: true, told: true },
    ]);
    for (const [i, look] of rig.looks.slice(1, 3).entries())
      expect(look.at - rig.looks[i]!.at).toBeGreaterThanOrEqual(QUIET);
  });

  test("is no more final when an event came after it", async () => {
    const rig = new Rig((_, { final }) => (final ? "same" : "early"));
    rig.note(passwd, eventOf("write", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    rig.note(passwd, eventOf("write", 2n, b));
    await rig.until(() => rig.looks.length === 3);
    expect(rig.occasions).toEqual([
      { sightings: [sightingOf(a)], settled: true, final: false },
      { sightings: [sightingOf(a), sightingOf(b, { first: 2n, last: 2n })], settled: true, final: false, told: true },
      { sightings: [sightingOf(a), sightingOf(b, { first: 2n, last: 2n })], settled: true, final: true, told: true },
    ]);
  });
});

test("the old version that goes away after a rename does not hold up the look at the new one", async () => {
  const rig = new Rig();
  rig.note(passwd, eventOf("rename", 1n, a), eventOf("gone", 2n, a));
  await turn();
  expect(rig.occasions).toEqual([
    { sightings: [sightingOf(a, { last: 2n, renamed: true })], settled: false, final: false },
  ]);
});

describe("a target that is awaited", () => {
  test("is looked at when quiet, once and for all", async () => {
    const rig = new Rig();
    const start = performance.now();
    rig.dispatch.await(passwd, [sightingOf(a)], "live");
    await rig.until(() => rig.looks.length === 1);
    await rig.quiet();
    expect(rig.occasions).toEqual([{ sightings: [sightingOf(a)], settled: true, final: false }]);
    expect(rig.looks[0]!.at - start).toBeGreaterThanOrEqual(QUIET);
  });

  test("may have events of its own, which come first and last", async () => {
    const rig = new Rig();
    rig.dispatch.await(passwd, [sightingOf(a)], "live");
    rig.note(passwd, eventOf("write", 2n, b), eventOf("close", 3n, b));
    rig.dispatch.await(passwd, [], "live");
    await rig.until(() => rig.looks.length === 2);
    await rig.quiet();
    const sightings = [sightingOf(a), sightingOf(b, { first: 2n, last: 3n })];
    expect(rig.occasions).toEqual([
      { sightings, settled: false, final: false },
      { sightings, settled: true, final: false },
    ]);
  });
});

describe("what was found before its event", () => {
  const untilFinal = (target: Target, { final }: Occasion) => (target === passwd && !final ? "early" : "line");

  test("waits for the events that the kernel has told by then", async () => {
    let isTold = false;
    const rig = new Rig(untilFinal, () => () => isTold);
    rig.dispatch.await(passwd, [], "live");
    await rig.until(() => rig.looks.length === 1);
    await rig.quiet();
    await rig.quiet();
    expect(rig.looks).toHaveLength(1);
    isTold = true;
    await rig.until(() => rig.looks.length === 2);
    expect(rig.occasions.map(({ final }) => final)).toEqual([false, true]);
  });

  test("is looked at again when the event comes, with who did it", async () => {
    const rig = new Rig(untilFinal, () => () => false);
    rig.dispatch.await(passwd, [], "live");
    await rig.until(() => rig.looks.length === 1);
    rig.note(passwd, eventOf("write", 2n, b), eventOf("close", 3n, b));
    await rig.until(() => rig.looks.length === 2);
    expect(rig.occasions[1]).toEqual({
      sightings: [sightingOf(b, { first: 2n, last: 3n })],
      settled: false,
      final: false,
    });
  });
});

test("targets are looked at in the order in which their events came", async () => {
  const rig = new Rig();
  const targets = Array.from({ length: 50 }, (_, i) => targetOf(`/etc/${i}`));
  for (const target of targets) rig.note(target, eventOf("write", 1n, a));
  for (const target of targets.slice(0, 25)) rig.note(target, eventOf("write", 2n, a));
  await rig.until(() => rig.looks.length === 50);
  expect(rig.looks.map(({ target }) => target)).toEqual([...targets.slice(25), ...targets.slice(0, 25)]);
});

describe("finish", () => {
  /** Every look of another dispatch that was asked for until now has come once this resolves. */
  const quietElsewhere = () => new Rig().quiet();

  test("looks at everything that waits, at once and for the last time", async () => {
    const rig = new Rig();
    rig.note(passwd, eventOf("write", 1n, a));
    rig.note(shadow, eventOf("rename", 2n, b));
    rig.dispatch.finish();
    const renamed = sightingOf(b, { first: 2n, last: 2n, renamed: true });
    const expected = [
      { target: passwd, occasion: { sightings: [sightingOf(a)], settled: true, final: true } },
      { target: shadow, occasion: { sightings: [renamed], settled: true, final: true } },
    ];
    const seen = () => rig.looks.map(({ target, occasion }) => ({ target, occasion }));
    expect(seen()).toEqual(expected);
    rig.dispatch.finish();
    await quietElsewhere();
    expect(seen()).toEqual(expected);
  });

  test("takes the place of the second look", async () => {
    const rig = new Rig(() => "line");
    rig.note(passwd, eventOf("rename", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    rig.dispatch.finish();
    await quietElsewhere();
    expect(rig.occasions).toEqual([
      { sightings: [sightingOf(a, { renamed: true })], settled: false, final: false },
      { sightings: [sightingOf(a, { renamed: true, reported: true })], settled: true, final: true },
    ]);
  });

  test("makes the looks that its looks are the reason for, each once, and none after that", async () => {
    const rig: Rig = new Rig((target) => {
      const other = target === passwd ? shadow : passwd;
      rig.dispatch.await(other, [], "live");
      rig.dispatch.await(target, [], "live");
      return "early";
    });
    rig.note(passwd, eventOf("write", 1n, a));
    rig.dispatch.finish();
    expect(rig.looks.map(({ target }) => target)).toEqual([passwd, shadow]);
    rig.note(shadow, eventOf("close", 2n, a));
    await quietElsewhere();
    expect(rig.looks).toHaveLength(2);
  });

  test("looks at nothing when nothing waits, nor later", async () => {
    const rig = new Rig();
    rig.dispatch.finish();
    expect(rig.looks).toEqual([]);
    rig.note(passwd, eventOf("write", 1n, a));
    rig.note(shadow, eventOf("rename", 2n, a));
    await quietElsewhere();
    expect(rig.looks).toEqual([]);
  });
});

describe("what could not be recorded", () => {
  const failed = () => {
    const rig = new Rig();
    rig.dispatch.postpone(passwd, [sightingOf(a)], "live");
    expect(rig.dispatch.has(passwd)).toBe(true);
    expect(rig.dispatch.pending()).toEqual([[passwd, [sightingOf(a)], "live"]]);
    return rig;
  };

  test("is looked at once more at the end", () => {
    const rig = failed();
    rig.dispatch.finish();
    expect(rig.occasions).toEqual([{ sightings: [sightingOf(a)], settled: true, final: true }]);
    rig.dispatch.finish();
    expect(rig.looks).toHaveLength(1);
    expect(rig.dispatch.has(passwd)).toBe(false);
  });

  test("is taken up by the next event, which does not take the place of who was seen before", async () => {
    const rig = failed();
    rig.note(passwd, eventOf("rename", 2n, b));
    await rig.until(() => rig.looks.length === 1);
    const renamed = sightingOf(b, { first: 2n, last: 2n, renamed: true });
    expect(rig.occasions[0]?.sightings).toEqual([sightingOf(a), renamed]);
  });

  test("is taken up by whatever else makes a look necessary", async () => {
    const rig = failed();
    rig.dispatch.await(passwd, [], "rescan");
    expect(rig.dispatch.pending()).toEqual([[passwd, [sightingOf(a)], "live"]]);
    await rig.until(() => rig.looks.length === 1);
    expect(rig.occasions[0]?.sightings).toEqual([sightingOf(a)]);
  });

  test("is told of a move of the directory that it is in", async () => {
    const rig = new Rig();
    const directory = targetOf("/etc");
    const member = targetOf("/etc/passwd", directory);
    rig.dispatch.postpone(member, [sightingOf(a)], "live");
    rig.dispatch.noteBelow(new Set([directory]), eventOf("rename", 2n, b));
    await rig.until(() => rig.looks.length === 1);
    expect(rig.occasions[0]?.sightings).toHaveLength(2);
  });

  test("is dropped with its target", () => {
    const rig = failed();
    rig.dispatch.drop(passwd);
    rig.dispatch.finish();
    expect(rig.looks).toEqual([]);
  });
});

describe("a target that is dropped", () => {
  test("is not looked at", async () => {
    const rig = new Rig();
    rig.note(passwd, eventOf("write", 1n, a));
    rig.dispatch.drop(passwd);
    await rig.quiet();
    rig.dispatch.finish();
    expect(rig.looks).toEqual([]);
  });

  test("by a settled look at itself is not looked at again", async () => {
    const rig = new Rig((target) => {
      rig.dispatch.drop(target);
      return "line";
    });
    rig.note(passwd, eventOf("gone", 1n, a));
    await rig.until(() => rig.looks.length === 1);
    await rig.quiet();
    expect(rig.looks.map(({ occasion }) => occasion.settled)).toEqual([true]);
  });

  // A directory looks at its members: one that is gone is forgotten there, and must not come to life again.
  test("by the look at another is not looked at in the same turn", async () => {
    const rig = new Rig((target) => {
      if (target === passwd) rig.dispatch.drop(shadow);
      return "same";
    });
    rig.note(passwd, eventOf("rename", 1n, a));
    rig.note(shadow, eventOf("rename", 2n, b));
    await rig.until(() => rig.looks.length >= 2);
    await rig.quiet();
    expect(rig.looks.map(({ target }) => target)).toEqual([passwd, passwd]);
  });
});

test("an event that comes during a settled look is not lost", async () => {
  let once = true;
  const rig = new Rig((target) => {
    if (once) rig.dispatch.note(target, eventOf("write", 9n, b));
    once = false;
    return "same";
  });
  rig.note(passwd, eventOf("write", 1n, a));
  await rig.until(() => rig.looks.length === 2);
  expect(rig.occasions[1]).toEqual({
    sightings: [sightingOf(b, { first: 9n, last: 9n })],
    settled: true,
    final: false,
  });
});
