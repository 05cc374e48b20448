import type { Consumer, Difference, Keys, Look, State } from "./consumer.ts";
import { appearance, changedAttributes, defined, type Facts, factsOf, wentUnread } from "./facts.ts";
import { differenceOf, isReordered, isSameList } from "./multiset.ts";
import { type AccessEntry, DEFAULT_SEPARATORS, parseAccess, type Separators } from "./parse/access.ts";
import { firstProblems, type KeptProblems, newProblems } from "./problems.ts";

export type AccessState = Facts &
  KeptProblems & {
    readonly consumer: "access";
    /** Keyed: somebody may have put a password hash there. */
    readonly digest?: string;
    /** In order: the first that matches decides. */
    readonly entries: readonly AccessEntry[];
    /** Those of pam_access(8), where it is told others than its own. */
    readonly separators?: Separators;
    /** The content was too long to be read. */
    readonly unread?: true;
  };

/** Some 30,000 rules, in bytes. pam_access reads all of them at every login. */
const CONTENT_LIMIT = 1 << 20;

/** access.conf(5), rule by rule. */
export function accessConsumer(separators: Separators = DEFAULT_SEPARATORS): Consumer<AccessState> {
  return {
    name: "access",
    contentLimit: CONTENT_LIMIT,
    parse: (_path, look, keys) => parse(look, keys, separators),
    compare: (_path, before, after) => compare(before, after),
  };
}

function parse(look: Look, keys: Keys, separators: Separators): AccessState {
  const state = { consumer: "access", ...factsOf(look, keys), entries: [], problems: [] } as const;
  if (look.type !== "file") return state;
  const digest = look.digest && keys.keyedDigest(look.digest);
  if (look.content === undefined) return { ...state, digest, unread: true };
  const { entries, problems } = parseAccess(look.content, keys.fingerprint, separators);
  const isDefault = separators.field === DEFAULT_SEPARATORS.field && separators.list === DEFAULT_SEPARATORS.list;
  return { ...state, digest, entries, ...firstProblems(problems), ...(isDefault ? {} : { separators }) };
}

function compare(earlier: State, after: AccessState): Difference | undefined {
  const before = earlier.consumer === "access" ? (earlier as AccessState) : undefined;
  if (before === undefined) return difference("modified", { notes: [OTHER_STATE], ...stateNow(after) });
  const attributes = changedAttributes(before, after);
  const type = before.type === after.type ? undefined : { from: before.type, to: after.type };
  // with other separators the same text is other rules
  const isReread = !isSameList([before.separators ?? {}], [after.separators ?? {}]);
  const isSame = before.digest === after.digest && (!isReread || isSameReading(before, after));
  if (type === undefined && isSame) return attributes && difference("attributes", { attributes });
  const unread = before.unread === true || after.unread === true;
  const { add, del } = unread ? { add: [], del: [] } : differenceOf(before.entries, after.entries);
  const appeared = appearance(before, after);
  const notes = [
    ...(unread && !wentUnread(after) ? ["too long to be read: rules are not compared"] : []),
    ...(isReread && !unread && appeared === undefined ? [OTHER_SEPARATORS] : []),
    ...(unread || appeared || type ? [] : notesOn(before, after, isReread || add.length + del.length > 0)),
  ];
  return difference(appeared ?? "modified", {
    add: described(add),
    del: described(del),
    ...stateNow(after, notes),
    ...defined({ ...(appeared ? {} : { type }), attributes }),
  });
}

function isSameReading(before: AccessState, after: AccessState): boolean {
  return isSameList(before.entries, after.entries) && isSameList(before.problems, after.problems);
}

const OTHER_SEPARATORS = "pam_access is told other separators: it reads the same text in another way";
const OTHER_STATE = "the saved state is another consumer's: rules are not compared";

function difference(action: Difference["action"], details: Record<string, unknown>): Difference {
  return { action, consumer: "access", message: "access entries", details };
}

function stateNow(after: AccessState, notes: readonly string[] = []): Record<string, unknown> {
  const { entries, problems, moreProblems } = after;
  return {
    access: described(entries),
    ...(notes.length > 0 ? { notes } : {}),
    ...(problems.length > 0 ? { problems } : {}),
    ...defined({ moreProblems }),
  };
}

/** `grant` and `deny` are upstream's: the users field of each rule. `rules` are the whole of them, in order. */
function described(entries: readonly AccessEntry[]): Record<string, unknown> {
  const names = (permission: string) =>
    entries.filter(({ rule }) => rule.permission === permission).map(({ name }) => name);
  return { grant: names("+"), deny: names("-"), rules: entries.map(({ rule }) => rule) };
}

function notesOn(before: AccessState, after: AccessState, changed: boolean): string[] {
  const reordered = isReordered(before.entries, after.entries);
  const notes = reordered ? ["order changed: the first rule that matches decides"] : [];
  if (changed || reordered) return notes;
  const unreadable = newProblems(before, after);
  return unreadable.length > 0 ? unreadable : ["only comments, blank lines or how rules are written changed"];
}
