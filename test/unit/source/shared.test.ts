import { expect, test } from "bun:test";
import type { NodeKey } from "../../../src/event.ts";
import { SharedSource } from "../../../src/source/shared.ts";
import type { Source, WatchNode } from "../../../src/source/source.ts";

test("what two watch stays watched until both have no use for it, and who came last says what is left out there", () => {
  const calls: string[] = [];
  const source: Source = {
    backend: "test",
    watch: ({ inode }) => `0:${inode}` as NodeKey,
    unwatch: (key) => void calls.push(`unwatch ${key}`),
    setScopes: (key, scopes) => void calls.push(`${key} ${scopes}`),
    start: () => {},
    [Symbol.dispose]: () => {},
  };
  const shared = new SharedSource(source);
  const [before, after] = [shared.share(), shared.share()];
  const directory: WatchNode = { path: "/a", device: 0, inode: 1n, as: "directory", inherit: true };
  const key = before.watch(directory)!;
  before.setScopes?.(key, 1);
  after.watch(directory);
  before.setScopes?.(key, 2);
  after.setScopes?.(key, 4);
  before.setScopes?.(key, 0);
  before.unwatch(key);
  after.setScopes?.(key, 8);
  after.unwatch(key);
  expect(calls).toEqual(["0:1 1", "0:1 4", "0:1 8", "unwatch 0:1"]);
});
