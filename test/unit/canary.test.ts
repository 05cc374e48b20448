import { expect, test } from "bun:test";
import { Canary } from "../../src/canary.ts";
import type { KernelEvent, NodeKey } from "../../src/event.ts";
import type { Source } from "../../src/source/source.ts";
import { TemporaryDirectory } from "../e2e/files.ts";

const eventOf = (node: string): KernelEvent => ({
  ...{ time: 0n, kind: "write", node: node as NodeKey, entries: [], actor: undefined },
});

test("it is blind when no event comes, not while those come that were told before its own", async () => {
  using directory = new TemporaryDirectory();
  let isTold = false;
  const source: Source = {
    ...{ backend: "test", watch: () => "canary" as NodeKey, unwatch: () => {}, start: () => {} },
    untilNow: () => () => isTold,
    [Symbol.dispose]: () => {},
  };
  const blind = Promise.withResolvers<number>();
  using canary = new Canary(source, directory.at("canary"), 100, { onBlind: blind.resolve, onSeeing: () => {} });
  const others = setInterval(() => canary.takes(eventOf("other")), 10);
  const sung = performance.now();
  expect(await Promise.race([blind.promise, Bun.sleep(3000)])).toBeUndefined();
  isTold = true;
  await blind.promise;
  clearInterval(others);
  expect(performance.now() - sung).toBeGreaterThan(3000);
});

test("it is blind when nothing comes of what was told", async () => {
  using directory = new TemporaryDirectory();
  const source: Source = {
    ...{ backend: "test", watch: () => "canary" as NodeKey, unwatch: () => {}, start: () => {} },
    untilNow: () => () => false,
    [Symbol.dispose]: () => {},
  };
  const [blind, seeing] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  using canary = new Canary(source, directory.at("canary"), 100, { onBlind: blind.resolve, onSeeing: seeing.resolve });
  expect(await blind.promise).toBeGreaterThan(100);
  expect(canary.takes(eventOf("canary"))).toBe(true);
  expect(await seeing.promise).toBeGreaterThan(0);
});
