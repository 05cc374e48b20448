import { expect, test } from "bun:test";
import { Moves } from "../../../src/watch/moves.ts";
import { targetOf } from "./events.ts";

const [a, b] = [targetOf("/a"), targetOf("/b")];

test("what left is known by where it went", () => {
  const moves = new Moves();
  moves.depart(a, "/x");
  moves.depart(b, undefined);
  expect([moves.departure(a), moves.departure(b), moves.arrival("/x")]).toEqual([{ to: "/x" }, { to: undefined }, a]);
});

test("what is in a directory that left went with it", () => {
  const moves = new Moves();
  const directory = targetOf("/d");
  const member = targetOf("/d/sub/f", targetOf("/d/sub", directory));
  expect(moves.departure(member)).toBeUndefined();
  moves.depart(directory, "/x");
  expect(moves.departure(member)).toEqual({ to: "/x/sub/f" });
  moves.follow("/x", undefined);
  expect(moves.departure(member)).toEqual({ to: undefined });
  moves.settle(directory);
  expect(moves.departure(member)).toBeUndefined();
});

test("what went on is known by the last place, even one that nobody knows", () => {
  const moves = new Moves();
  moves.depart(a, "/x");
  moves.follow("/x", "/y");
  moves.follow("/elsewhere", "/z");
  expect([moves.departure(a), moves.arrival("/x"), moves.arrival("/y")]).toEqual([{ to: "/y" }, undefined, a]);
  moves.follow("/y", undefined);
  expect([moves.departure(a), moves.arrival("/y")]).toEqual([{ to: undefined }, undefined]);
});

test("after the look nothing is left of it, and nothing of another that came to the same path", () => {
  const moves = new Moves();
  moves.depart(a, "/x");
  moves.depart(b, "/x");
  moves.settle(a);
  expect([moves.departure(a), moves.arrival("/x")]).toEqual([undefined, b]);
  moves.settle(b);
  expect([moves.departure(b), moves.arrival("/x")]).toEqual([undefined, undefined]);
});
