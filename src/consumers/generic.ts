import type { BytesState, ContentState } from "./content.ts";
import { type Change, defined } from "./facts.ts";

/** What a line says of something whose content is not shown: `current` is what was, `next` what is (upstream's keys). */
export function describeBytes(before: ContentState, after: ContentState): Record<string, unknown> {
  return {
    generic: {
      current: digestOf(before),
      next: digestOf(after),
      ...defined({
        size: change(sizeOf(before), sizeOf(after)),
        type: change(typeOf(before), typeOf(after)),
        content: change(contentOf(before), contentOf(after)),
        inode: change(inodeOf(before), inodeOf(after)),
        symlink: after.type === "symlink" ? after.symlink : undefined,
      }),
      ...(before.type === "missing" ? metadataOf(after) : after.type === "missing" ? metadataOf(before) : {}),
    },
  };
}

/** Of what came or went; of what stays, `attributes` tells what changed. */
function metadataOf(state: ContentState): Record<string, unknown> {
  if (state.type === "missing") return {};
  const { mode, uid, gid, flags, capabilities, acl, defaultAcl, xattrs } = state;
  return { mode, uid, gid, ...defined({ flags, capabilities, acl, defaultAcl, xattrs }) };
}

/** One value where there is one or it stayed, `{from, to}` where it changed. */
function change<T>(from: T | undefined, to: T | undefined): T | Change<T> | undefined {
  if (from === undefined || to === undefined || from === to) return to ?? from;
  return { from, to };
}

function digestOf(state: ContentState): string {
  return state.digest ?? "";
}

function sizeOf(state: ContentState): number | undefined {
  return state.type === "missing" ? undefined : state.size;
}

function typeOf(state: ContentState): string | undefined {
  return state.type === "missing" ? undefined : state.type;
}

function inodeOf(state: ContentState): string | undefined {
  return state.type === "missing" ? undefined : state.inode;
}

function contentOf(state: ContentState): BytesState["content"] | "text" {
  return state.consumer === "diff" ? "text" : state.content;
}
