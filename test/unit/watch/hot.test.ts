import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import type { ChangeKind } from "../../../src/event.ts";
import { HotFiles } from "../../../src/watch/hot.ts";
import { actorOf, eventOf, sightingOf, targetOf } from "./events.ts";

const target = targetOf("/a");
const [a, b] = [actorOf(1), actorOf(2)];

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Notes events, looks once, and says what looks come in the next ten seconds when none finds anything. */
function looksAfter(...events: readonly [kind: ChangeKind, actor: typeof a][]): number {
  let looks = 0;
  const hot: HotFiles = new HotFiles((found, sightings) => {
    looks++;
    hot.looked(found, sightings, false);
  });
  for (const [kind, actor] of events) hot.note(target, eventOf(kind, 1n, actor));
  hot.looked(target, [sightingOf(a)], true);
  jest.advanceTimersByTime(10_000);
  hot.drop(target);
  jest.advanceTimersByTime(100_000);
  return looks;
}

test("what was written and not closed is looked at after 1, 3 and 7 seconds", () => {
  expect(looksAfter(["write", a])).toBe(3);
});

test("what was stored to is, as if it were written", () => {
  expect(looksAfter(["store", a])).toBe(3);
  expect(looksAfter(["write", a], ["store", a], ["close", a])).toBe(0);
  expect(looksAfter(["write", a], ["store", b], ["close", a])).toBe(3);
});

test("what every writer has closed is not, nor what nobody wrote", () => {
  expect(looksAfter(["write", a], ["close", a])).toBe(0);
  expect(looksAfter(["write", a], ["write", b], ["write", a], ["close", b], ["close", a])).toBe(0);
  expect(looksAfter(["attributes", a])).toBe(0);
  expect(looksAfter(["close", a])).toBe(0);
});

test("what one of two writers has closed still is", () => {
  expect(looksAfter(["write", a], ["write", b], ["close", a])).toBe(3);
  expect(looksAfter(["write", a], ["close", a], ["write", b])).toBe(3);
});

test("what is found is the doing of those who were seen, and makes the next look come soon", () => {
  const found: unknown[] = [];
  const hot: HotFiles = new HotFiles((_, sightings) => {
    found.push(sightings);
    hot.looked(target, sightings, true);
  });
  hot.note(target, eventOf("write", 1n, a));
  hot.looked(target, [sightingOf(a)], true);
  jest.advanceTimersByTime(3000);
  expect(found).toEqual(Array.from({ length: 3 }, () => [sightingOf(a, { reported: true })]));
});

describe("what the kernel says of who could write", () => {
  const looksWhen = (...isWritable: (boolean | undefined)[]): number => {
    let looks = 0;
    const hot: HotFiles = new HotFiles((found, sightings) => {
      looks++;
      hot.opened(found, isWritable[Math.min(looks, isWritable.length - 1)]);
      hot.looked(found, sightings, false);
    });
    hot.note(target, eventOf("write", 1n, a));
    hot.note(target, eventOf("close", 2n, a));
    hot.opened(target, isWritable[0]);
    hot.looked(target, [], false);
    jest.advanceTimersByTime(10_000);
    hot.drop(target);
    return looks;
  };

  test("counts where no event told of a writer, or of the last close", () => {
    expect(looksWhen(true)).toBe(3);
    expect(looksWhen(true, true, false)).toBe(2);
    expect(looksWhen(false)).toBe(0);
    expect(looksWhen(undefined)).toBe(0);
  });

  test("ends it although a close was not seen", () => {
    const hot = new HotFiles(() => expect.unreachable());
    hot.note(target, eventOf("write", 1n, a));
    hot.opened(target, false);
    hot.looked(target, [], true);
    jest.advanceTimersByTime(100_000);
  });
});
