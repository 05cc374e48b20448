import { afterEach, expect, test } from "bun:test";
import { HeldChanges, type Moment } from "../../../src/labels/held.ts";

/** What was asked for, and the lines that came of it. */
let told: string[];
let lines: number;
let held: HeldChanges;
let next = Promise.withResolvers<void>();

function begin(): void {
  told = [];
  lines = 0;
  held = new HeldChanges(() => {
    lines++;
    next.resolve();
    next = Promise.withResolvers();
  });
}
begin();
afterEach(() => {
  held.releaseAll();
  begin();
});

/** Holds a change whose label is known when it is asked for so often. */
function hold(path: string, asks = Infinity): void {
  let left = asks;
  const tell = (moment: Moment) => {
    if (moment === "known" && --left > 0) return false;
    told.push(`${path} ${moment}`);
    return true;
  };
  held.hold(path, { state: { consumer: "generic", path }, tell });
}

test("a change is told as soon as its label is known, whatever others wait for", async () => {
  hold("/never");
  hold("/second", 2);
  hold("/first", 1);
  expect(held.state("/first")).toEqual({ consumer: "generic", path: "/first" });
  while (lines < 2) await next.promise;
  expect(told).toEqual(["/first known", "/second known"]);
  expect(held.state("/first")).toBeUndefined();
  expect(held.state("/never")).toBeDefined();
});

test("a change that is released is told at once, and once", () => {
  hold("/a");
  hold("/b");
  held.release("/a");
  held.release("/a");
  held.release("/other");
  expect([told, lines]).toEqual([["/a now"], 1]);
  held.releaseAll();
  held.releaseAll();
  expect([told, lines]).toEqual([["/a now", "/b now"], 2]);
});

test("a change that cannot be recorded is held on, and holds up no other", async () => {
  let isFull = true;
  const tell = () => {
    if (isFull) throw new Error("disk full");
    told.push("/full");
    return true;
  };
  held.hold("/full", { state: { consumer: "generic" }, tell });
  expect(() => held.release("/full")).toThrow("disk full");
  hold("/a", 1);
  while (lines < 1) await next.promise;
  expect(told).toEqual(["/a known"]);
  held.releaseAll();
  expect(held.state("/full")).toBeDefined();
  isFull = false;
  held.release("/full");
  expect(told).toEqual(["/a known", "/full"]);
});

test("no more are held than fit: the first goes", () => {
  for (let n = 0; n < 4096; n++) hold(`/${n}`);
  expect(told).toEqual([]);
  hold("/last");
  expect(told).toEqual(["/0 now"]);
});
