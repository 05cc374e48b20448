import { expect, test } from "bun:test";
import { Rest } from "../../../src/commands/rest.ts";

test("memory is given back after many looks: when it is quiet, and once a minute where it never is", () => {
  const times: number[] = [];
  let now = 100_000;
  using rest = new Rest(() => times.push(now - 100_000));
  const looks = (count: number) => {
    for (let i = 0; i < count; i++) rest.note(now);
  };
  const pass = (seconds: number, looksEach = 0) => {
    for (let i = 0; i < seconds; i++) {
      looks(looksEach);
      now += 1000;
      rest.check(now);
    }
  };
  looks(99);
  pass(100);
  expect(times).toEqual([]); // not worth it
  looks(1);
  pass(2);
  expect(times).toEqual([101_000]); // there was no such time for a minute
  looks(100);
  pass(2);
  expect(times).toHaveLength(1);
  pass(100);
  expect(times).toEqual([101_000, 105_000]);
  pass(150, 1000); // it was quiet for long;
  expect(times.slice(2)).toEqual([205_000, 265_000, 325_000]);
});
