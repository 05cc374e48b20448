import { describe, expect, test } from "bun:test";
import { mountNamespace } from "../../../src/kernel/namespace.ts";
import { type Cover, Covers } from "../../../src/watch/covers.ts";
import { eventOf, targetOf } from "./events.ts";

const target = targetOf("/a");
const always = () => () => true;
const mount = { id: 1, root: "/", point: "/a", type: "tmpfs", source: "none" };
const coverOf = (action: Cover["action"]): Cover => ({
  action,
  mount,
  isTop: true,
  end: undefined,
  found: { at: performance.now(), isTold: () => true },
});

/** What a mount and then an umount make of a path, by whether nothing was there before and after each. */
const table: [string, [boolean, boolean], [boolean, boolean], (Cover["action"] | undefined)[]][] = [
  ["another file", [false, false], [false, false], ["covered", "uncovered"]],
  ["nothing over the file", [false, true], [true, false], ["covered", "uncovered"]],
  ["a file where none was", [true, false], [false, true], [undefined, undefined]],
];

test.each(table)("%s", (_, mounted, unmounted, expected) => {
  const covers = new Covers(true, always);
  covers.add(target, coverOf("covered"));
  const first = covers.actionOf(target, ...mounted);
  covers.settle(target, first);
  expect(covers.over(target, undefined)).toBeUndefined();
  covers.add(target, coverOf("uncovered"));
  expect([first, covers.actionOf(target, ...unmounted)]).toEqual(expected);
});

test("of two changes before a look, the last one counts, seen from before the first", () => {
  const covers = new Covers(true, always);
  covers.add(target, { ...coverOf("covered"), end: "1:1" as never });
  covers.add(target, { ...coverOf("uncovered"), end: "1:2" as never });
  expect(covers.over(target, undefined)).toMatchObject({ action: "uncovered", end: "1:1" });
});

describe("events", () => {
  const event = eventOf("mount", 1n);

  test("come before or after the change that they are of", () => {
    const covers = new Covers(true, always);
    covers.note([target], event);
    expect(covers.eventsOf(target)).toEqual([]);
    covers.add(target, coverOf("covered"));
    expect(covers.eventsOf(target)).toEqual([event]);
    covers.note([target], event);
    expect(covers.eventsOf(target)).toEqual([event, event]);
  });

  test("of another mount namespace stand where there are none of ours, which are waited for", () => {
    const covers = new Covers(true, always);
    const ours = { ...eventOf("mount", 2n), mountNamespace: mountNamespace() };
    const others = { ...eventOf("mount", 1n), mountNamespace: 1 };
    covers.note([target], others);
    covers.add(target, coverOf("covered"));
    expect([covers.eventsOf(target), covers.awaitsEvent(target)]).toEqual([[others], true]);
    covers.note([target], ours);
    expect([covers.eventsOf(target), covers.awaitsEvent(target)]).toEqual([[ours], false]);
  });

  test("outlive a look that found nothing yet, and not the one that found it", () => {
    const covers = new Covers(true, always);
    covers.note([target], event);
    covers.settle(target, undefined);
    covers.add(target, coverOf("covered"));
    expect(covers.eventsOf(target)).toEqual([event]);
    covers.settle(target, "covered");
    covers.add(target, coverOf("uncovered"));
    expect(covers.eventsOf(target)).toEqual([]);
  });

  test("are awaited after a change was found, where the source tells of mounts", () => {
    for (const hasEvents of [true, false]) {
      const covers = new Covers(hasEvents, always);
      expect(covers.awaitsEvent(target)).toBe(false);
      covers.add(target, coverOf("covered"));
      expect(covers.awaitsEvent(target)).toBe(hasEvents);
      covers.note([targetOf("/b")], eventOf("mount", 1n));
      expect(covers.awaitsEvent(target)).toBe(hasEvents);
    }
  });

  test("are awaited no more when it is theirs that came, when all that was told has come, or none will come", () => {
    const covers = new Covers(true, always);
    covers.add(target, coverOf("covered"));
    covers.note([target], event);
    expect(covers.awaitsEvent(target)).toBe(false);
    const late = new Covers(true, always);
    let isTold = false;
    late.add(target, { ...coverOf("covered"), found: { at: performance.now() - 6000, isTold: () => isTold } });
    expect(late.awaitsEvent(target)).toBe(true);
    isTold = true;
    expect(late.awaitsEvent(target)).toBe(false);
    const stopped = new Covers(true, always);
    stopped.add(target, coverOf("covered"));
    stopped.stop();
    expect(stopped.awaitsEvent(target)).toBe(false);
  });

  test("of a directory are those of its members", () => {
    const covers = new Covers(true, always);
    const member = targetOf("/a/b", target);
    covers.add(target, coverOf("covered"));
    covers.note([target], event);
    covers.pass(target, member, undefined);
    covers.settle(target, "covered");
    expect(covers.eventsOf(member)).toEqual([event]);
    const unknown = new Covers(true, always);
    unknown.add(target, coverOf("covered"));
    unknown.pass(target, member, undefined);
    expect(unknown.awaitsEvent(member)).toBe(false);
  });

  test("are those of the target, and of these the last", () => {
    const covers = new Covers(true, always);
    covers.note([targetOf("/b")], event);
    for (let i = 0n; i < 40n; i++) covers.note([target], eventOf("mount", i));
    covers.add(target, coverOf("covered"));
    expect(covers.eventsOf(target).map(({ time }) => time)).toEqual(
      Array.from({ length: 16 }, (_, i) => 24n + BigInt(i)),
    );
  });

  test("that name a mount are of what became of that one", () => {
    const covers = new Covers(true, always);
    const named = (id: number, isAttached: boolean) => ({ ...event, mount: { id, isAttached } });
    covers.note([], named(1, true));
    covers.note([], named(2, true));
    covers.note([], named(1, false));
    covers.add(target, coverOf("covered"));
    expect(covers.eventsOf(target)).toEqual([named(1, true)]);
    covers.settle(target, "covered");
    covers.add(target, coverOf("uncovered"));
    expect(covers.eventsOf(target)).toEqual([named(1, false)]);
  });
});
