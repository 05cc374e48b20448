import type { ContentState } from "./content.ts";
import { splitLines } from "./text.ts";
import { diffTexts } from "./unified.ts";

/** What a line says of a text that changed, appeared or went. */
export function describeText(path: string, before: ContentState, after: ContentState): Record<string, unknown> {
  const { added, removed, diff, truncated } = diffTexts(path, textOf(before), textOf(after));
  return {
    add: { Content: added },
    del: { Content: removed },
    diff,
    ...(truncated ? { truncated, current: sizes(before), next: sizes(after) } : {}),
    ...(added.length + removed.length === 0 && !truncated ? { notes: notes(before, after) } : {}),
  };
}

/** Texts whose secrets were taken out by different rules: what differs may be the rules' doing, or a secret. */
export function describeIncomparable(before: ContentState, after: ContentState): Record<string, unknown> {
  return {
    add: { Content: [] },
    del: { Content: [] },
    diff: "",
    current: sizes(before),
    next: sizes(after),
    notes: ["the rules of what is redacted changed: the texts are not compared"],
  };
}

/** What is said of a text that is not shown whole; nothing of one that is not there. */
function sizes(state: ContentState): Record<string, unknown> {
  if (state.consumer !== "diff") return {};
  return { digest: state.digest, size: state.size, lines: splitLines(state.text).length };
}

function notes(before: ContentState, after: ContentState): string[] {
  const isThere = before.type === "file" && after.type === "file";
  return [isThere ? "the shown text is the same: only what is redacted changed" : "empty file"];
}

function textOf(state: ContentState): string | undefined {
  return state.consumer === "diff" ? state.text : undefined;
}
