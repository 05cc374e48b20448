import { expect, test } from "bun:test";
import { picture } from "../../src/progress.ts";

test("a bar for what was expected, the count alone beyond it", () => {
  const bar = (filled: number) => `[${"=".repeat(filled).padEnd(30)}]`;
  expect([0, 1, 50, 99, 100].map((done) => picture("checking", done, 100))).toEqual([
    `checking ${bar(0)} 0 of 100`,
    `checking ${bar(0)} 1 of 100`,
    `checking ${bar(15)} 50 of 100`,
    `checking ${bar(29)} 99 of 100`,
    `checking ${bar(30)} 100 of 100`,
  ]);
  expect(picture("checking", 101, 100)).toBe("checking 101");
});
