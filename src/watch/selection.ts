import type { ConsumerRule } from "../consumers/named.ts";
import { joinPath, selfAndAncestors } from "../paths.ts";
import { Exclusions } from "./exclusions.ts";

/** Characters that make a --watch PATH a glob. */
const MAGIC = /[*?[{]/;

/** What the user wants watched: plain paths and directories, globs, and what to leave out. */
export interface Selection {
  /** The paths to begin with: plain ones, and the directories that globs start from. */
  readonly roots: readonly string[];
  /** Whether a member of a watched directory is to be watched too. */
  includes(member: string): boolean;
  /** Whether the user named the path, or a glob for it; not just a directory above it. */
  names(path: string): boolean;
  /** Whether changes of a watched path are reported; a directory on the way to a glob's files is not. */
  reports(path: string): boolean;
  /** Of what `includes` refuses, what the kernel can refuse. */
  readonly exclusions: Exclusions;
  /** The consumer that the configuration names for a path. */
  consumer?(path: string): ConsumerRule["consumer"] | undefined;
  /** Whose SSH keys the file holds. */
  owners?(path: string): readonly string[];
  /** Whether what is at the path decides what is watched: `revise` is due when it was looked at. */
  decides?(path: string): boolean;
  /** Reads anew what decides. */
  revise?(): Revision;
}

/** What came of reading anew what decides: paths to begin with, as `roots` has them. */
export interface Revision {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Paths that are watched as before, but mean something else. */
  readonly changed: readonly string[];
}

/**
 * @param watch absolute, normalised paths or globs
 * @param exclude globs of absolute paths; what matches, and everything below it, is left out
 * @param rules which consumer understands what; the last that matches holds
 */
export function select(
  watch: readonly string[],
  exclude: readonly string[],
  rules: readonly ConsumerRule[] = [],
): Selection {
  const named = rules.toReversed().map(({ path, consumer }) => ({ path, glob: new Bun.Glob(path), consumer }));
  const paths = watch.flatMap(expandBraces);
  const plain = new Set(paths.filter((path) => !MAGIC.test(path)));
  const globs = paths.filter((path) => MAGIC.test(path)).map((pattern) => new GlobWatch(pattern));
  const excluded = exclude.map((pattern) => new Bun.Glob(pattern));
  const isExcluded = (path: string) => selfAndAncestors(path).some((p) => excluded.some((glob) => glob.match(p)));
  const inPlain = (path: string) => selfAndAncestors(path).some((p) => plain.has(p));
  const roots = new Set([...plain, ...globs.map((glob) => glob.base)]);
  return {
    roots: [...roots].filter((path) => !isExcluded(path)),
    includes: (path) =>
      !isExcluded(path) && (inPlain(path) || globs.some((glob) => glob.matches(path) || glob.leadsTo(path))),
    names: (path) => plain.has(path) || globs.some((glob) => glob.matches(path)),
    reports: (path) => inPlain(path) || globs.some((glob) => glob.matches(path)),
    exclusions: new Exclusions(exclude.flatMap(expandBraces)),
    consumer: (path) => {
      if (named.length === 0) return undefined;
      const paths = selfAndAncestors(path);
      return named.find(({ path, glob }) => paths.some((at) => at === path || glob.match(at)))?.consumer;
    },
  };
}

/** A glob, and the directory that everything it can match lies below. */
class GlobWatch {
  readonly base: string;
  readonly #glob: InstanceType<typeof Bun.Glob>;
  /** Globs of the directories between the base and a match; undefined below a `**`: all of them. */
  readonly #levels: readonly InstanceType<typeof Bun.Glob>[];
  readonly #deep: string | undefined;

  constructor(pattern: string) {
    const parts = pattern.split("/").slice(1);
    const magic = parts.findIndex((part) => MAGIC.test(part));
    const deep = parts.findIndex((part) => part.includes("**"));
    this.base = `/${parts.slice(0, magic).join("/")}`;
    this.#glob = new Bun.Glob(pattern);
    const depth = deep < 0 ? parts.length - 1 : deep;
    this.#levels = range(magic, depth).map((i) => new Bun.Glob(`/${parts.slice(0, i + 1).join("/")}`));
    this.#deep = deep < 0 ? undefined : `/${parts.slice(0, deep).join("/")}`;
  }

  matches(path: string): boolean {
    return this.#glob.match(path);
  }

  /** Whether a match can lie below this path, the base included. */
  leadsTo(path: string): boolean {
    if (path === this.base || this.#levels.some((level) => level.match(path))) return true;
    if (this.#deep === undefined) return false;
    const deep = new Bun.Glob(joinPath(this.#deep, "**"));
    return deep.match(path);
  }
}

/** `/etc/{a,b/c}` to `/etc/a` and `/etc/b/c`, so that the parts of a pattern are those of its paths. */
function expandBraces(pattern: string): string[] {
  const inner = /(?<!\\)\{([^{}]*)(?<!\\)\}/.exec(pattern);
  if (inner === null) return [pattern];
  const [group, choices = ""] = inner;
  const head = pattern.slice(0, inner.index);
  const tail = pattern.slice(inner.index + group.length);
  return choices.split(",").flatMap((choice) => expandBraces(head + choice + tail));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
