import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Actor, KernelEvent } from "../../../src/event.ts";
import { KINDS } from "../../../src/source/decode.ts";
import { type Sighting, isAttributed, mergeSightings, responsible, sight } from "../../../src/watch/attribution.ts";
import { actorOf, eventOf, sightingOf } from "./events.ts";

const sightAll = (events: readonly KernelEvent[], before: readonly Sighting[] = []): readonly Sighting[] =>
  events.reduce(sight, before);
const [a, b] = [actorOf(1), actorOf(2)];

describe("sightings", () => {
  test("are one per process, the last to act last", () => {
    const events = [eventOf("write", 10n, a), eventOf("write", 20n, b), eventOf("close", 30n, a)];
    expect(sightAll(events)).toEqual([
      sightingOf(b, { first: 20n, last: 20n }),
      sightingOf(a, { first: 10n, last: 30n }),
    ]);
  });

  test("take everything for an act but a close, and pages becoming dirty", () => {
    const acts = KINDS.map((kind) => sight([], eventOf(kind, 1n, a)).map(({ acted }) => acted));
    expect(acts).toEqual(KINDS.map((kind) => [kind !== "close" && kind !== "dirty"]));
  });

  test("tell a process from its successor under the same number, and from what it executed before", () => {
    const later = actorOf(1, { start: "2026-01-01T00:00:01.000Z" });
    const executed = actorOf(1, { executable: "/usr/bin/sh" });
    const events = [a, later, executed].map((actor) => eventOf("write", 1n, actor));
    expect(sightAll(events).map(({ actor }) => actor)).toEqual([a, later, executed]);
  });

  test("take a process that is ending, and has no executable any more, for what it was", () => {
    const ending = actorOf(1, { executable: "", args: [] });
    for (const events of [
      [a, ending],
      [ending, a],
    ])
      expect(sightAll(events.map((actor) => eventOf("write", 1n, actor))).map(({ actor }) => actor)).toEqual([a]);
  });

  test("take a process for the same when its start is told less exactly, and keep what was known first", () => {
    const exact = actorOf(1, { start: "2026-01-01T00:00:00.017Z" });
    const ticks = actorOf(1, { start: "2026-01-01T00:00:00.010Z", args: ["vim", "later"] });
    expect(sightAll([eventOf("write", 1n, exact), eventOf("close", 2n, ticks)])).toEqual([
      sightingOf(exact, { last: 2n }),
    ]);
    const unknown = actorOf(1, { start: "" });
    const starts = [exact, unknown, unknown].map((actor) => eventOf("write", 1n, actor));
    expect(sightAll(starts).map(({ actor }) => actor)).toEqual([exact, unknown]);
  });

  test("take a process for the user that it was when it wrote, not when it opened the file or closed it", () => {
    const [opener, writer] = [actorOf(1), { ...actorOf(1), uid: 1000 }];
    const events = [eventOf("dirty", 1n, opener), eventOf("write", 2n, writer), eventOf("close", 3n, opener)];
    expect(sightAll(events).map(({ actor }) => actor)).toEqual([writer]);
  });

  test("remember a rename", () => {
    const events = [eventOf("rename", 1n, a), eventOf("close", 2n, a), eventOf("write", 3n, b)];
    expect(sightAll(events).map(({ renamed }) => renamed)).toEqual([true, false]);
  });

  test("take a store for an act, and one that is told late for what it is", () => {
    const events = [eventOf("write", 5n, a), eventOf("write", 5n, b), eventOf("store", 4n, a)];
    expect(sightAll(events)).toEqual([sightingOf(a, { first: 4n, last: 5n }), sightingOf(b, { first: 5n, last: 5n })]);
    expect(sightAll([eventOf("close", 5n, b), eventOf("store", 4n, a)])).toEqual([
      sightingOf(a, { first: 4n, last: 4n }),
      sightingOf(b, { first: 5n, last: 5n, acted: false }),
    ]);
  });

  test("take an executable that was unlinked for what it was", () => {
    const gone = actorOf(1, { executable: "/usr/bin/vim (deleted)" });
    expect(sightAll([eventOf("write", 1n, a), eventOf("close", 1n, gone)])).toEqual([sightingOf(a)]);
  });

  test("hold those that are not known together", () => {
    const events = [eventOf("write", 1n), eventOf("write", 5n)];
    expect(sightAll(events)).toEqual([sightingOf(undefined, { first: 1n, last: 5n })]);
  });

  test("begin anew for a process that a line has named", () => {
    const before = [sightingOf(a, { reported: true })];
    expect(sight(before, eventOf("close", 9n, a))).toEqual([
      ...before,
      sightingOf(a, { first: 9n, last: 9n, acted: false }),
    ]);
  });

  test("are left as they were", () => {
    const before = Object.freeze([Object.freeze(sightingOf(a))]);
    expect(sight(before, eventOf("write", 2n, a))).not.toBe(before);
    expect(before).toEqual([sightingOf(a)]);
  });

  test("are bounded, and the last ones stay", () => {
    const events = Array.from({ length: 1000 }, (_, i) => eventOf("write", BigInt(i), actorOf(i)));
    const pids = sightAll(events).map(({ actor }) => actor?.process.pid);
    expect(pids).toEqual(Array.from({ length: 16 }, (_, i) => 984 + i));
  });

  test("remember that there were others that acted, whoever it is that acts and goes after that", () => {
    const writes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => eventOf("write", BigInt(from + i), actorOf(from + i)));
    const others = (sightings: readonly Sighting[]) =>
      responsible(sightings).some(({ hasOthers }) => hasOthers === true);
    const [sixteen, seventeen] = [sightAll(writes(0, 16)), sightAll(writes(0, 17))];
    expect([others(sixteen), others(seventeen)]).toEqual([false, true]);
    expect(others(sightAll(writes(16, 17), seventeen))).toBe(true);
    expect(others(sightAll(writes(17, 50), seventeen))).toBe(true);
    expect(others(mergeSightings(sightAll(writes(0, 1)), sightAll(writes(1, 17))))).toBe(true);
    expect(others(mergeSightings(sixteen, sixteen))).toBe(false);
    const closers = Array.from({ length: 20 }, (_, i) => eventOf("close", BigInt(i + 9), actorOf(i + 9)));
    expect(others(sightAll([eventOf("write", 1n, a), ...closers]))).toBe(false);
    expect(others(sightAll(writes(20, 36), [sightingOf(a, { reported: true })]))).toBe(false);
  });

  // Else whoever writes hides behind sixteen processes that open the file for writing and write nothing.
  test("keep the process that acted when many only closed the file after it", () => {
    const closers = Array.from({ length: 16 }, (_, i) => eventOf("close", BigInt(i + 2), actorOf(i + 2)));
    const named = responsible(sightAll([eventOf("write", 1n, a), ...closers]));
    expect(named.map(({ actor }) => actor)).toContain(a);
  });

  test("of any events: no process twice, in the order of their last event, times in order", () => {
    const anyActor = fc.option(fc.nat(4), { nil: undefined });
    const anyEvents = fc.array(fc.tuple(fc.constantFrom(...KINDS), anyActor), { maxLength: 40 });
    fc.assert(
      fc.property(anyEvents, (list) => {
        const actors = new Map<number | undefined, Actor>();
        const events = list.map(([kind, pid], i) => {
          if (pid !== undefined && !actors.has(pid)) actors.set(pid, actorOf(pid));
          return eventOf(kind, BigInt(i), actors.get(pid));
        });
        const expected = [...new Set(events.map(({ actor }) => actor).reverse())].reverse().map((actor) => {
          const own = events.filter((event) => event.actor === actor);
          const acted = own.some(({ kind }) => kind !== "close" && kind !== "dirty");
          const renamed = own.some(({ kind }) => kind === "rename");
          return sightingOf(actor, { first: own[0]!.time, last: own.at(-1)!.time, acted, renamed });
        });
        expect(sightAll(events)).toEqual(expected);
      }),
    );
  });
});

describe("responsible are", () => {
  const closed = sightingOf(b, { acted: false });
  const reported = sightingOf(actorOf(3), { reported: true });

  test.each<[string, readonly Sighting[], readonly Sighting[]]>([
    ["nobody, when nobody was seen", [], []],
    ["those that acted", [reported, sightingOf(a), closed], [sightingOf(a)]],
    ["all that acted", [sightingOf(a), sightingOf(b)], [sightingOf(a), sightingOf(b)]],
    ["those that closed the file, when nobody acted", [reported, closed], [closed]],
    ["those that were reported, when nobody else was seen", [reported], [reported]],
  ])("%s", (_, sightings, expected) => {
    expect(responsible(sightings)).toEqual(expected);
  });
});

test("a change is attributed when somebody who is known acted since the last line", () => {
  const closed = sightingOf(b, { acted: false });
  const reported = sightingOf(a, { reported: true });
  const unknown = sightingOf(undefined);
  expect([[], [closed], [reported], [unknown], [closed, reported, unknown]].map(isAttributed)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
  expect([[sightingOf(a)], [unknown, sightingOf(a), closed]].map(isAttributed)).toEqual([true, true]);
});
