// What the tables say of a technique: what is there before, what is watched, and the lines that must come.
import type { Verdict } from "./judge.ts";

export const FILE_SYSTEMS = ["tmpfs", "ext4", "btrfs", "xfs", "overlay"] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** What is in the technique's directory before bpfink starts: path to what it is. Directories on the way are made. */
export type Before = Readonly<Record<string, Node>>;

export type Node =
  /** Content of a file. */
  | string
  | { readonly content: string; readonly mode?: number; readonly owner?: number; readonly xattr?: [string, string] }
  /** Bytes that are not allocated. */
  | { readonly hole: number }
  | { readonly directory: true }
  | { readonly link: string }
  | { readonly symlink: string }
  | { readonly mount: "tmpfs" };

/** A line that must come. */
export interface Expected {
  /** Below the technique's directory; default: what is watched. */
  readonly file?: string;
  readonly action: "created" | "modified" | "deleted" | "moved" | "attributes" | "covered" | "uncovered";
  /** The content before and after; undefined for no file. Decides what `add`, `del`, `diff` or the digests must be. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Keys that must be there beside, as Bun.deepMatch compares. Paths in `previous` are below the directory. */
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly previous?: string;
  /** User of the actor. Default root. */
  readonly user?: string;
  /** Name of a kernel thread that may be the actor instead of the program. */
  readonly kernelThread?: RegExp;
}

/** Since which kernel there is such a call, as "5.10"; false: never. */
export type Since = string | false;

export interface Technique {
  /** Of the row in docs/coverage.md. */
  readonly name: string;
  /** Argument of the program; default: the name. */
  readonly program?: string;
  readonly before: Before;
  /** Below the technique's directory. */
  readonly watch: readonly string[];
  /** The lines of each part of the program, parts being divided by its pauses. */
  readonly rounds: readonly (readonly Expected[])[];
  /** Where it is possible; what is not named here is everywhere and always was. */
  readonly since?: Since | Readonly<Partial<Record<FileSystem, Since>>>;
  /** Where overlay is concerned: in which of its directories the files are made, and where the program runs. */
  readonly layer?: { readonly files: Layer; readonly run: Layer };
  /** It may harm a disk that is not the test's own: in virtual machines only. */
  readonly inVmOnly?: true;
  /** What backends do not see as they should, by the beginning of their names: the verdicts that are allowed, and why. */
  readonly limits?: Readonly<Record<string, Limit>>;
}

export interface Limit {
  /** Where it is so; default: everywhere. */
  readonly on?: readonly FileSystem[];
  readonly verdicts: readonly Verdict[];
  readonly reason: string;
}

export type Layer = "upper" | "lower" | "merged";

export const ONE = "one\n";
export const TWO = "two\n";

/** As block_of() in main.c: 4096 bytes of lines of one letter. */
export const block = (letter: string): string => `${letter.repeat(63)}\n`.repeat(64);
export const ZEROS = "\0".repeat(4096);
export const BLOCKS = block("a") + block("b") + block("c");

/** Content of f from one to another, seen at once. */
export const modified = (from: string, to: string, more: Partial<Expected> = {}): Expected => ({
  action: "modified",
  from,
  to,
  ...more,
});
export const created = (to: string, more: Partial<Expected> = {}): Expected => ({ action: "created", to, ...more });
export const deleted = (from: string, more: Partial<Expected> = {}): Expected => ({ action: "deleted", from, ...more });

/** A technique on one file f, done in one go. */
export function onFile(name: string, line: Expected | undefined, more: Partial<Technique> = {}): Technique {
  return {
    name,
    before: { f: line?.from ?? ONE },
    watch: ["f"],
    rounds: [line === undefined ? [] : [line]],
    ...more,
  };
}

/** One of which nothing is to be reported, for nothing has changed. */
export const unchanged = (name: string, more: Partial<Technique> = {}): Technique => onFile(name, undefined, more);

/** Whether a technique is possible there: `kernel` is a release like "6.12.117". */
export function isPossible({ since, layer }: Technique, fileSystem: FileSystem, kernel: string): boolean {
  if (layer !== undefined && fileSystem !== "overlay") return false;
  const wanted = typeof since === "object" ? since[fileSystem] : since;
  if (wanted === undefined) return true;
  return wanted !== false && Bun.semver.order(plain(kernel), `${wanted}.0`) >= 0;
}

/** "6.12.117" of "6.12.117+deb13-cloud-amd64". */
const plain = (release: string): string => /^\d+\.\d+/.exec(release)?.[0] + ".0";

/** What a backend is known not to see as it should there. */
export function limitOf(backend: string, { limits = {} }: Technique, fileSystem: FileSystem): Limit | undefined {
  const limit = Object.entries(limits).find(([name]) => backend.startsWith(name))?.[1];
  return limit?.on?.includes(fileSystem) === false ? undefined : limit;
}

const limit =
  (reason: string, on?: readonly FileSystem[]) =>
  (...verdicts: Verdict[]) => ({ limits: { fanotify: { verdicts, reason, ...(on && { on }) } } });

/** Why fanotify does not see everything as it should. */
export const fanotify = {
  mapping: limit(
    "stores to mapped memory have no event where pages are not written back, and through overlay; the close of a " +
      "descriptor that could write has",
    ["tmpfs", "overlay"],
  ),
  device: limit(
    "a write through a loop device has an event only if a clean page becomes dirty, which names nobody; the close by the device has",
  ),
  layer: limit("the mark is on overlay's own inode, not on those below"),
  actor: limit("who acted is read when the event comes: user ids are those at birth or exec if it has ended by then"),
  birth: limit("a directory is marked after it was made; what is made in it meanwhile is found by the look"),
  flags: limit("chattr(1) and file_setattr have no event, and what is opened to read tells nothing when it is closed"),
  mount: limit("before Linux 6.15 the table of mounts tells what was mounted, and nobody by whom"),
};
