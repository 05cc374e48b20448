import type { Look, MissingLook } from "./consumer.ts";

/** What every state holds of the inode. mtime and inode number change with every save, and tell nothing. */
export type Facts = MissingFacts | NodeFacts;

export type MissingFacts = { readonly type: "missing" };

export type NodeFacts = {
  readonly type: Exclude<Look["type"], "missing">;
  /** Permission bits in octal, "0640". */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; not there for what has no content. */
  readonly size?: number;
};

export function factsOf(look: Exclude<Look, MissingLook>): NodeFacts;
export function factsOf(look: Look): Facts;
export function factsOf(look: Look): Facts {
  if (look.type === "missing") return { type: "missing" };
  const { type, mode, uid, gid, size } = look;
  const facts = { type, mode: `0${mode.toString(8).padStart(3, "0")}`, uid, gid };
  return type === "file" ? { ...facts, size } : facts;
}

export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

const ATTRIBUTES = ["mode", "uid", "gid"] as const;

/** `attributes: {mode: {from, to}, …}`: what chmod(2) and chown(2) changed; undefined when nothing did. */
export function changedAttributes(before: Facts, after: Facts): Record<string, Change<string | number>> | undefined {
  if (before.type === "missing" || after.type === "missing") return undefined;
  const changed = ATTRIBUTES.filter((key) => before[key] !== after[key]);
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((key) => [key, { from: before[key], to: after[key] }]));
}

/** `created` and `deleted` by what is there; undefined while something stays, or nothing does. */
export function appearance(before: Facts, after: Facts): "created" | "deleted" | undefined {
  if ((before.type === "missing") === (after.type === "missing")) return undefined;
  return before.type === "missing" ? "created" : "deleted";
}

/** An object without its undefined members. */
export function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
