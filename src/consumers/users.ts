import type { Consumer, Difference, Keys, Look, State } from "./consumer.ts";
import { appearance, changedAttributes, defined, type Facts, factsOf } from "./facts.ts";
import type { Parsed, Problem } from "./parse/lines.ts";
import { type PasswdEntry, parsePasswd } from "./parse/passwd.ts";
import { parseShadow, type ShadowEntry } from "./parse/shadow.ts";
import { differenceOf } from "./multiset.ts";
import { notesOnAccounts, notesOnLines } from "./user-notes.ts";

export type UserEntry = PasswdEntry | ShadowEntry;
export type UsersKind = "passwd" | "shadow";

export type UsersState = Facts & {
  readonly consumer: "users";
  readonly kind: UsersKind;
  /** Keyed: a plain digest of shadow would let guesses be tried. */
  readonly digest?: string;
  readonly entries: readonly UserEntry[];
  /** The first of them. */
  readonly problems: readonly Problem[];
  /** How many more there are. */
  readonly moreProblems?: number;
  /** The content was too long to be read. */
  readonly unread?: true;
};

/** As many as somebody will read; a binary file under the name of passwd has thousands. */
const PROBLEMS_KEPT = 20;

const parsers: Record<UsersKind, (content: Uint8Array, fingerprint: Keys["fingerprint"]) => Parsed<UserEntry>> = {
  passwd: parsePasswd,
  shadow: parseShadow,
};

/** A database of some 500,000 accounts, in bytes. */
const CONTENT_LIMIT = 64 << 20;

/** passwd(5) and shadow(5), account by account. */
export function usersConsumer(kind: UsersKind): Consumer<UsersState> {
  return {
    name: "users",
    contentLimit: CONTENT_LIMIT,
    parse: (_path, look, keys) => parse(kind, look, keys),
    compare: (_path, before, after) => compare(before, after),
  };
}

function parse(kind: UsersKind, look: Look, keys: Keys): UsersState {
  const state = { consumer: "users", kind, ...factsOf(look), entries: [], problems: [] } as const;
  if (look.type !== "file") return state;
  const digest = keys.keyedDigest(look.digest);
  if (look.content === undefined) return { ...state, digest, unread: true };
  const { entries, problems } = parsers[kind](look.content, keys.fingerprint);
  const more = problems.length - PROBLEMS_KEPT;
  return {
    ...state,
    digest,
    entries,
    problems: problems.slice(0, PROBLEMS_KEPT),
    ...(more > 0 ? { moreProblems: more } : {}),
  };
}

function compare(earlier: State, after: UsersState): Difference | undefined {
  const before = isUsersState(earlier, after.kind) ? earlier : undefined;
  if (before === undefined) return difference("modified", { notes: [OTHER_STATE], ...stateNow(after) });
  const attributes = changedAttributes(before, after);
  const type = before.type === after.type ? undefined : { from: before.type, to: after.type };
  if (type === undefined && before.digest === after.digest) {
    return attributes && { action: "attributes", consumer: "users", message: MESSAGE, details: { attributes } };
  }
  const unread = before.unread === true || after.unread === true;
  const { add, del } = unread ? { add: [], del: [] } : differenceOf(before.entries, after.entries);
  const appeared = appearance(before, after);
  const notes = [
    ...(unread ? ["too long to be read: entries are not compared"] : []),
    ...(type === undefined && add.length + del.length === 0 && !unread ? notesOnLines(before, after) : []),
    ...notesOnAccounts(after.entries),
  ];
  const details = { add, del, ...stateNow(after, notes), ...(appeared ? {} : defined({ type, attributes })) };
  return difference(appeared ?? "modified", details);
}

const MESSAGE = "user entries";
const OTHER_STATE = "the saved state is another consumer's: entries are not compared";

function difference(action: Difference["action"], details: Record<string, unknown>): Difference {
  return { action, consumer: "users", message: MESSAGE, details };
}

function stateNow(after: UsersState, notes: readonly string[] = []): Record<string, unknown> {
  const { entries, problems, moreProblems } = after;
  return {
    users: entries,
    ...(notes.length > 0 ? { notes } : {}),
    ...(problems.length > 0 ? { problems } : {}),
    ...defined({ moreProblems }),
  };
}

function isUsersState(state: State, kind: UsersKind): state is UsersState {
  return state.consumer === "users" && state["kind"] === kind;
}
