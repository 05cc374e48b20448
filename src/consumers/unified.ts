import { formatPatch, FILE_HEADERS_ONLY, type StructuredPatchHunk, structuredPatch } from "diff";
import { splitLines } from "./text.ts";

export interface TextDifference {
  /** Lines that came and went, without their ends. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Unified diff with three lines of context. */
  readonly diff: string;
  /** The diff is longer than the limit: the rest of it, and of the lines, is left out. */
  readonly truncated: boolean;
}

/** Of the diff in a line: above it, digests and counts tell more than text that nobody reads. */
export const DIFF_LIMIT = 64 * 1024;
const CONTEXT = 3;
/**
 * Bounds of the search for the shortest diff, whose cost grows with the square of the length of the edit:
 * 2,000 changed lines take 30 ms, and a diff of more is longer than DIFF_LIMIT as a rule.
 */
const MAX_EDIT_LENGTH = 2_000;
const TIMEOUT_MS = 500;

/** The difference of two texts; undefined stands for no file. */
export function diffTexts(path: string, before: string | undefined, after: string | undefined): TextDifference {
  const hunks = hunksOf(splitLines(before ?? ""), splitLines(after ?? ""));
  const { kept, truncated } = cut(hunks);
  const patch = {
    oldFileName: before === undefined ? "/dev/null" : path,
    newFileName: after === undefined ? "/dev/null" : path,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: kept,
  };
  const marked = (mark: string) =>
    kept.flatMap(({ lines }) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(1)));
  return { added: marked("+"), removed: marked("-"), diff: formatPatch(patch, FILE_HEADERS_ONLY), truncated };
}

/** What both have at the beginning and the end is left out of the search, but for the context. */
function hunksOf(before: readonly string[], after: readonly string[]): StructuredPatchHunk[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  if (head + tail === before.length && head + tail === after.length) return [];
  const context = Math.max(0, head - CONTEXT);
  const middle = (lines: readonly string[], start: number, end: number) => lines.slice(start, lines.length - end);
  const left = Math.max(0, tail - CONTEXT);
  const hunks = shortest(middle(before, context, left), middle(after, context, left));
  if (hunks === undefined) return [replaceAll(middle(before, head, tail), middle(after, head, tail), head + 1)];
  return hunks.map((hunk) => ({ ...hunk, oldStart: hunk.oldStart + context, newStart: hunk.newStart + context }));
}

function shortest(before: readonly string[], after: readonly string[]): StructuredPatchHunk[] | undefined {
  return structuredPatch("", "", before.join(""), after.join(""), undefined, undefined, {
    context: CONTEXT,
    maxEditLength: MAX_EDIT_LENGTH,
    timeout: TIMEOUT_MS,
  })?.hunks;
}

/** The diff that always works: everything goes, everything comes. */
function replaceAll(before: readonly string[], after: readonly string[], start: number): StructuredPatchHunk {
  const marked = (mark: string, lines: readonly string[]) =>
    lines.flatMap((line) => (line.endsWith("\n") ? [mark + line.slice(0, -1)] : [mark + line, NO_NEWLINE]));
  const lines = [...marked("-", before), ...marked("+", after)];
  return { oldStart: start, oldLines: before.length, newStart: start, newLines: after.length, lines };
}

const NO_NEWLINE = "\\ No newline at end of file";

/** As many whole hunks as fit, and what fits of the next, whose counts then follow. */
function cut(hunks: readonly StructuredPatchHunk[]): { kept: StructuredPatchHunk[]; truncated: boolean } {
  let room = DIFF_LIMIT;
  const kept: StructuredPatchHunk[] = [];
  for (const hunk of hunks) {
    const fits = hunk.lines.findIndex((line) => (room -= Buffer.byteLength(line) + 1) < 0);
    if (fits < 0) {
      kept.push(hunk);
      continue;
    }
    const lines = hunk.lines.slice(0, fits);
    const count = (other: string) => lines.filter((line) => line[0] !== other && line[0] !== "\\").length;
    if (fits > 0) kept.push({ ...hunk, lines, oldLines: count("+"), newLines: count("-") });
    return { kept, truncated: true };
  }
  return { kept, truncated: false };
}
