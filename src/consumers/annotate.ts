import type { Difference, State } from "./consumer.ts";
import { type Change, type Facts, wentUnread } from "./facts.ts";
import { whyOf } from "./why.ts";

/** A difference that also says what it can mean: of this path (`why`), with these attributes (`notes`). */
export function annotate(path: string, difference: Difference, state: State): Difference {
  const after = state as unknown as Facts; // every consumer's state has them
  const { notes, attributes, ...details } = difference.details;
  const all = [...((notes as readonly string[] | undefined) ?? []), ...notesOn(after, attributes as Attributes)];
  const why = whyOf(path);
  return {
    ...difference,
    details: {
      ...details,
      ...(attributes === undefined ? {} : { attributes }),
      ...(all.length > 0 ? { notes: all } : {}),
      ...(why === undefined ? {} : { why }),
    },
  };
}

type Attributes = { readonly mode?: Change<string> } | undefined;

/** What lets others act with rights that are not theirs (inode(7), capabilities(7)). */
function notesOn(after: Facts, attributes: Attributes): string[] {
  if (after.type === "missing") return [];
  const mode = parseInt(after.mode, 8);
  const change = attributes?.mode;
  const of = change === undefined ? "" : ` (mode ${change.from} → ${change.to})`;
  const isFile = after.type === "file";
  const isOpen = isFile || (after.type === "directory" && (mode & 0o1000) === 0);
  return [
    ...(wentUnread(after) ? ["it went before it was read to its end: there is no digest"] : []),
    ...(isFile && (mode & 0o4000) !== 0 ? [`setuid: runs as uid ${after.uid}${of}`] : []),
    ...(isFile && (mode & 0o2000) !== 0 ? [`setgid: runs as gid ${after.gid}${of}`] : []),
    ...(isOpen && (mode & 0o002) !== 0 ? [`world-writable${of}`] : []),
    ...(after.capabilities === undefined ? [] : [`runs with capabilities: ${after.capabilities}`]),
  ];
}
