import type { Keys, Look, MissingLook, State } from "./consumer.ts";
import { redactHashes } from "../hashes.ts";
import { describeXattrs, type Xattrs } from "./xattrs.ts";

/** What every state holds of the inode. mtime changes with every save, and tells nothing. */
export type Facts = MissingFacts | NodeFacts;

export type MissingFacts = { readonly type: "missing" };

export type NodeFacts = {
  readonly type: Exclude<Look["type"], "missing">;
  /** Permission bits in octal, "0640". */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Not compared: a save that renames gives a new one. */
  readonly inode: string;
  /** Bytes; not there for what has no content. */
  readonly size?: number;
  /** chattr(1)'s: "immutable, append only". */
  readonly flags?: string;
  /** Where a symbolic link leads, and the next one: "a → b". */
  readonly symlink?: string;
} & Xattrs;

export function factsOf(look: Exclude<Look, MissingLook>, keys: Keys): NodeFacts;
export function factsOf(look: Look, keys: Keys): Facts;
export function factsOf(look: Look, keys: Keys): Facts {
  if (look.type === "missing") return { type: "missing" };
  const { type, mode, uid, gid, inode, size, flags, links } = look;
  return {
    type,
    mode: mode.toString(8).padStart(4, "0"),
    uid,
    gid,
    inode,
    ...(type === "file" ? { size } : {}),
    ...(flags === undefined ? {} : { flags: flags.join(", ") }),
    ...(links === undefined ? {} : { symlink: redactHashes(shortened(links).join(" → "), keys.fingerprint) }),
    ...describeXattrs(look.xattrs, keys.fingerprint),
  };
}

/** A loop has as many links as the kernel would follow. */
const LINKS_SHOWN = 8;

function shortened(links: readonly string[]): readonly string[] {
  return links.length > LINKS_SHOWN ? [...links.slice(0, LINKS_SHOWN), "…"] : links;
}

export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

const NUMBERS_AND_MODE = ["mode", "uid", "gid"] as const;
/** "" stands for none. */
const TEXTS = ["capabilities", "acl", "defaultAcl", "flags", "symlink"] as const;

/**
 * `attributes: {mode: {from, to}, …}`: what changed of them; undefined when nothing did. Of what came or went only
 * where it led as a symbolic link.
 */
export function changedAttributes(before: Facts, after: Facts): Record<string, unknown> | undefined {
  if (before.type === "missing" || after.type === "missing") {
    const symlink = changeOf(goalOf(before), goalOf(after));
    return symlink && { symlink };
  }
  const changes = [
    ...NUMBERS_AND_MODE.map((key) => [key, changeOf(before[key], after[key])]),
    ...TEXTS.map((key) => [key, changeOf(before[key] ?? "", after[key] ?? "")]),
    ["xattrs", changedXattrs(before.xattrs ?? {}, after.xattrs ?? {})],
  ].filter(([, change]) => change !== undefined);
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** Where a link leads to something; "" for what is none. */
const goalOf = (state: Facts): string =>
  state.type === "missing" || state.type === "symlink" ? "" : (state.symlink ?? "");

function changedXattrs(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changes = names
    .map((name) => [name, changeOf(before[name] ?? "", after[name] ?? "")] as const)
    .filter(([, change]) => change !== undefined);
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

function changeOf<T>(from: T, to: T): Change<T> | undefined {
  return from === to ? undefined : { from, to };
}

/** Nothing, a symbolic link that leads nowhere, something. */
const presence = ({ type }: Facts): number => (type === "missing" ? 0 : type === "symlink" ? 1 : 2);

/** `created` and `deleted` by what is there; undefined while something stays, or nothing does. */
export function appearance(before: Facts, after: Facts): "created" | "deleted" | undefined {
  if (presence(before) === presence(after)) return undefined;
  return presence(before) < presence(after) ? "created" : "deleted";
}

/** Whether the file went before its end was read: it has a state, and no digest. */
export const wentUnread = (state: Facts & { readonly digest?: string }): boolean => state.digest === "";

/** An object without its undefined members. */
export function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** Whether there was nothing when the state was taken, or none was. */
export const isMissing = (state: State | undefined): boolean => state === undefined || state["type"] === "missing";
