import { expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { forgetCode } from "../../../src/kernel/code-pages.ts";

/** Pages of this executable's code that are mapped, in kB. */
function mapped(): number {
  const head = new RegExp(`^\\S+ r-xp .* ${readlinkSync("/proc/self/exe")}\n(?:Size|KernelPageSize|MMUPageSize):`, "m");
  const smaps = readFileSync("/proc/self/smaps", "utf8");
  return Number(/^Rss: +(\d+) kB/m.exec(smaps.slice(head.exec(smaps)?.index))?.[1]);
}

test("pages of code are given back, and come again when they are run", () => {
  const before = mapped();
  forgetCode();
  const after = mapped();
  expect(after).toBeGreaterThan(0);
  expect(after).toBeLessThan(before / 2);
});
