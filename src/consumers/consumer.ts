import type { Redaction } from "./redaction.ts";

/** What a path was found to be at one moment. Made by watch/look.ts, read by consumers. */
export type Look = MissingLook | NodeLook | FileLook;

/** Nothing is there, or nothing that can be reached. */
export interface MissingLook {
  readonly type: "missing";
}

/** Metadata common to everything that exists (inode(7)). */
export interface Metadata {
  /** Permission bits, 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: string;
  /** Bytes. */
  readonly size: number;
  /** chattr(1)'s attributes that are set: "immutable", "append only" …; not there when none is. */
  readonly flags?: readonly string[];
  /** Extended attributes, xattr(7), by name; not there when there are none. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
  /** What the path says if it is a symbolic link, and what the link says that it leads to, and so on. */
  readonly links?: readonly string[];
}

/** Something that has no content for us: a directory, a device, a FIFO, a socket, a link that leads nowhere. */
export interface NodeLook extends Metadata {
  readonly type: "directory" | "fifo" | "socket" | "block device" | "character device" | "symlink";
}

export interface FileLook extends Metadata {
  readonly type: "file";
  /** SHA-256 of the content, lower-case hexadecimal; empty for a file that went before its end was read. */
  readonly digest: string;
  /** The whole content; undefined when it is longer than the consumer's limit. */
  readonly content: Uint8Array | undefined;
}

/** Keys a secret: 8 hexadecimal digits of an HMAC, which say that it changed, and nothing of what it is. */
export type Fingerprint = (secret: string) => string;

/** All that a state may hold of a secret; the key is random and lives in the database alone. */
export interface Keys {
  readonly fingerprint: Fingerprint;
  /** `keyed:` and a whole HMAC in hexadecimal, of contents whose plain digest would help to guess them. */
  readonly keyedDigest: (content: string | Uint8Array) => string;
  /** What is taken for a secret in a text; the built-in rules, if nothing is said. */
  readonly redaction?: Redaction;
}

/** A consumer's own idea of a file: plain JSON, free of secrets; what the database holds. */
export type State = { readonly consumer: ConsumerName } & Record<string, unknown>;

export type ConsumerName = "users" | "access" | "diff" | "generic";

/** What one consumer says of two states: the consumer's part of a line. */
export interface Difference {
  readonly action: "created" | "modified" | "deleted" | "attributes" | "moved" | "covered" | "uncovered";
  readonly consumer: ConsumerName;
  /** For people. */
  readonly message: string;
  /** Consumer's own keys in line order: add, del, users | diff | generic, notes, problems … */
  readonly details: Record<string, unknown>;
}

/**
 * Understands one kind of file. Both functions are pure and never throw, whatever the bytes.
 */
export interface Consumer<S extends State = State> {
  readonly name: ConsumerName;
  /** Content up to this size, in bytes, is given to `parse`; of what is longer, and of all with 0, only the digest. */
  readonly contentLimit: number;
  /** The state of a file, without secrets. */
  parse(path: string, look: Look, keys: Keys): S;
  /** What changed; undefined when nothing that this consumer reports did. `before` may be another's. */
  compare(path: string, before: State, after: S): Difference | undefined;
}
