import { expect, test } from "bun:test";
import { type Cover, Covers } from "../../../src/watch/covers.ts";
import { targetOf } from "./events.ts";

const target = targetOf("/a");
const mount = { id: 1, root: "/", point: "/a", type: "tmpfs", source: "none" };
const coverOf = (action: Cover["action"]): Cover => ({ action, mount, isTop: true, end: undefined });

/** What a mount and then an umount make of a path, by whether nothing was there before and after each. */
const table: [string, [boolean, boolean], [boolean, boolean], (Cover["action"] | undefined)[]][] = [
  ["another file", [false, false], [false, false], ["covered", "uncovered"]],
  ["nothing over the file", [false, true], [true, false], ["covered", "uncovered"]],
  ["a file where none was", [true, false], [false, true], [undefined, undefined]],
];

test.each(table)("%s", (_, mounted, unmounted, expected) => {
  const covers = new Covers();
  covers.add(target, coverOf("covered"));
  const first = covers.actionOf(target, ...mounted);
  covers.settle(target, first);
  expect(covers.get(target)).toBeUndefined();
  covers.add(target, coverOf("uncovered"));
  expect([first, covers.actionOf(target, ...unmounted)]).toEqual(expected);
});

test("of two changes before a look, the last one counts, seen from before the first", () => {
  const covers = new Covers();
  covers.add(target, { ...coverOf("covered"), end: "1:1" as never });
  covers.add(target, { ...coverOf("uncovered"), end: "1:2" as never });
  expect(covers.get(target)).toMatchObject({ action: "uncovered", end: "1:1" });
});
