import { shortened } from "./changes.ts";
import type { Consumer, Difference, Keys, Look, State } from "./consumer.ts";
import { appearance, changedAttributes, defined, type Facts, factsOf, wentUnread } from "./facts.ts";
import { differenceOf } from "./multiset.ts";
import { firstProblems, type KeptProblems } from "./problems.ts";
import { group, gshadow } from "./users/group.ts";
import { authorizedKeys } from "./users/keys.ts";
import type { Change, Kind, KindName } from "./users/kind.ts";
import { notesOnLines } from "./users/notes.ts";
import { passwd } from "./users/passwd.ts";
import { shadow } from "./users/shadow.ts";

export type UsersState = Facts &
  KeptProblems & {
    readonly consumer: "users";
    readonly kind: KindName;
    /** Keyed: a plain digest of shadow would let guesses be tried. */
    readonly digest?: string;
    /** Of the kind's own shape. */
    readonly entries: readonly object[];
    /** Whose file it is, of authorized_keys. */
    readonly owners?: readonly string[];
    /** The content was too long to be read. */
    readonly unread?: true;
  };

const kinds = new Map<string, Kind>(
  [passwd, shadow, group, gshadow, authorizedKeys].map((kind) => [kind.name, kind as unknown as Kind]),
);

/** A database of some 500,000 accounts, in bytes. */
const CONTENT_LIMIT = 64 << 20;
/** Some 2,000 RSA keys. The file belongs to a user, who may want to keep us busy. */
const KEYS_LIMIT = 1 << 20;

/**
 * One of the files that make up the users of a machine, account by account.
 *
 * @param owners whose file it is, of authorized_keys
 */
export function usersConsumer(name: KindName, owners: readonly string[] = []): Consumer<UsersState> {
  const kind = kinds.get(name)!;
  return {
    name: "users",
    contentLimit: name === "authorized_keys" ? KEYS_LIMIT : CONTENT_LIMIT,
    parse: (_path, look, keys) => parse(kind, owners, look, keys),
    compare: (_path, before, after) => compare(kind, before, after),
  };
}

function parse(kind: Kind, owners: readonly string[], look: Look, keys: Keys): UsersState {
  const whose = owners.length > 0 ? { owners } : {};
  const state = {
    consumer: "users",
    kind: kind.name,
    ...whose,
    ...factsOf(look, keys),
    entries: [],
    problems: [],
  } as const;
  if (look.type !== "file") return state;
  const digest = look.digest && keys.keyedDigest(look.digest);
  if (look.content === undefined) return { ...state, digest, unread: true };
  const { entries, problems } = kind.read(look.content, keys.fingerprint);
  return { ...state, digest, entries, ...firstProblems(problems) };
}

function compare(kind: Kind, earlier: State, after: UsersState): Difference | undefined {
  const accounts = kind.accounts(after.entries, after.owners ?? []);
  const now = (notes: readonly string[]) => ({
    ...kind.shown(after.entries, accounts),
    ...(notes.length > 0 ? { notes } : {}),
    ...(after.problems.length > 0 ? { problems: after.problems } : {}),
    ...defined({ moreProblems: after.moreProblems }),
  });
  const before = isStateOf(kind, earlier) ? earlier : undefined;
  if (before === undefined) return difference("modified", now([OTHER_STATE]));
  const attributes = changedAttributes(before, after);
  const type = before.type === after.type ? undefined : { from: before.type, to: after.type };
  const unread = before.unread === true || after.unread === true;
  const accountsBefore = kind.accounts(before.entries, before.owners ?? []);
  const change: Change = unread ? { add: [], del: [] } : differenceOf(accountsBefore, accounts);
  if (type === undefined && before.digest === after.digest && change.add.length + change.del.length === 0) {
    return attributes && difference("attributes", { attributes });
  }
  const isSame = type === undefined && change.add.length + change.del.length === 0;
  const changes = shortened(kind.changes(change));
  const appeared = appearance(before, after);
  const notes = [
    ...(unread && !wentUnread(after) ? ["too long to be read: entries are not compared"] : []),
    ...(isSame && !unread ? notesOnLines(before, after) : []),
    ...kind.notes(accounts, change),
  ];
  return difference(appeared ?? "modified", {
    ...(changes.length > 0 ? { changes } : {}),
    ...change,
    ...now(notes),
    ...defined({ ...(appeared ? {} : { type }), attributes }),
  });
}

const OTHER_STATE = "the saved state is another consumer's: entries are not compared";

function difference(action: Difference["action"], details: Record<string, unknown>): Difference {
  return { action, consumer: "users", message: "user entries", details };
}

function isStateOf(kind: Kind, state: State): state is UsersState {
  return state.consumer === "users" && state["kind"] === kind.name;
}
