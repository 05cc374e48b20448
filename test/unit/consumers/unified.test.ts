import { describe, expect, test } from "bun:test";
import { applyPatch, parsePatch } from "diff";
import fc from "fast-check";
import { DIFF_LIMIT, diffTexts } from "../../../src/consumers/unified.ts";

const line = fc.constantFrom("a", "b", "", "a\r", "-x", "+y", "\\ No", "@@ -1 +1 @@", "--- a", "é");
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([l, end]) => l.join("\n") + (end ? "\n" : ""));

/** Milliseconds of processor time: what the machine does besides does not count. */
function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

describe("diffTexts", () => {
  test("shows lines, context and names", () => {
    expect(diffTexts("/etc/x", "1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9")).toEqual({
      added: ["five", "9"],
      removed: ["5"],
      diff: "--- /etc/x\n+++ /etc/x\n@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n+9\n\\ No newline at end of file\n",
      truncated: false,
    });
  });

  test("files that come and go, empty ones too", () => {
    expect([
      diffTexts("/x", undefined, "a\n"),
      diffTexts("/x", "a\n", undefined),
      diffTexts("/x", undefined, ""),
    ]).toEqual([
      { added: ["a"], removed: [], diff: "--- /dev/null\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n", truncated: false },
      { added: [], removed: ["a"], diff: "--- /x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n", truncated: false },
      { added: [], removed: [], diff: "--- /dev/null\n+++ /x\n", truncated: false },
    ]);
  });

  test("line ends count", () => {
    expect(diffTexts("/x", "a\nb\n", "a\r\nb").diff).toBe(
      "--- /x\n+++ /x\n@@ -1,2 +1,2 @@\n-a\n-b\n+a\r\n+b\n\\ No newline at end of file\n",
    );
  });

  test("a path cannot break the header", () => {
    expect(diffTexts("/a\n+++ b", "", "x\n").diff.split("\n").slice(0, 2)).toEqual([
      '--- "/a\\n+++ b"',
      '+++ "/a\\n+++ b"',
    ]);
  });

  test("applied to what was, it gives what is", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { diff, truncated } = diffTexts("/x", before, after);
        expect(truncated).toBe(false);
        expect(applyPatch(before, diff, { autoConvertLineEndings: false })).toBe(after);
      }),
      { numRuns: 2000 },
    );
  });

  test("nothing in common, too much for the shortest diff: applies all the same", () => {
    const before = Array.from({ length: 3000 }, (_, i) => `o${i}\n`).join("");
    const after = Array.from({ length: 3000 }, (_, i) => `n${i}\n`).join("");
    const result = diffTexts("/x", `same\n${before}`, `same\n${after}`);
    expect(result.truncated).toBe(false);
    expect(applyPatch(`same\n${before}`, result.diff)).toBe(`same\n${after}`);
  });

  test("is cut at the limit, and still reads as a patch", () => {
    const before = Array.from({ length: 5000 }, (_, i) => `${i} ${"é".repeat(40)}\n`).join("");
    const result = diffTexts("/x", before, before.replaceAll(" ", "-"));
    expect(result.truncated).toBe(true);
    expect(Buffer.byteLength(result.diff)).toBeWithin(DIFF_LIMIT - 200, DIFF_LIMIT + 200);
    const [hunk] = parsePatch(result.diff)[0]?.hunks ?? [];
    expect(hunk?.lines.length).toBe(result.added.length + result.removed.length);
  });

  test("one line longer than the limit leaves the header", () => {
    expect(diffTexts("/x", "a", "b".repeat(1 << 20))).toEqual({
      added: [],
      removed: ["a"],
      diff: expect.stringMatching(/^--- \/x\n\+\+\+ \/x\n@@ -1,1 /),
      truncated: true,
    });
  });

  test("100,000 lines with two changes far apart take well under a second", () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`);
    const changed = lines.with(10, "ten\n").with(99_990, "end\n");
    const start = process.cpuUsage();
    const { added, truncated } = diffTexts("/x", lines.join(""), changed.join(""));
    expect(spent(start)).toBeLessThan(1000);
    expect({ added, truncated }).toEqual({ added: ["ten", "end"], truncated: false });
  });

  test("the worst case is bounded", () => {
    const before = Array.from({ length: 20_000 }, (_, i) => `o${i % 7}${i}\n`).join("");
    const after = Array.from({ length: 20_000 }, (_, i) => `n${i % 7}${i}\n`).join("");
    const start = process.cpuUsage();
    expect(diffTexts("/x", before, after).truncated).toBe(true);
    expect(spent(start)).toBeLessThan(2000);
  });
});
