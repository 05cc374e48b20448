import { BELOW, HERE, type NameRule } from "../kernel/excludes.ts";
import { pathBytes, selfAndAncestors } from "../paths.ts";

/** Characters that mean something in a glob; of these, `*` and `?` in the directory are left to Bun. */
const MAGIC_NAME = /[\\?[\](){}|]/;
const MAGIC_DIRECTORY = /[\\[\](){}|]/;

/** Directories in which names are left out: those that a glob matches, and perhaps all below. */
interface Scope {
  readonly pattern: string;
  readonly isBelow: boolean;
}

/**
 * What of the globs to leave out can be told from a directory's place and a name in it, so that the kernel
 * can (bpf/excludes.bpf.h). A place is a bit, in the flags of a watched directory; a rule says what names
 * are left out in which places. What does not fit is left to user space, which compares all of them anyway.
 */
export class Exclusions {
  readonly rules: readonly NameRule[];
  readonly #scopes: readonly (Scope & { readonly bit: number; readonly glob: InstanceType<typeof Bun.Glob> })[];

  /** @param patterns globs of absolute paths, without choices in braces */
  constructor(patterns: readonly string[]) {
    const bits = new Map<string, number>();
    const scopes: (Scope & { bit: number; glob: InstanceType<typeof Bun.Glob> })[] = [];
    const bitOf = ({ pattern, isBelow }: Scope): number | undefined => {
      const known = bits.get(`${isBelow} ${pattern}`);
      if (known !== undefined) return known;
      const { first, count } = isBelow ? BELOW : HERE;
      const used = scopes.filter((scope) => scope.isBelow === isBelow).length;
      if (used === count) return undefined;
      const bit = (1 << (first + used)) >>> 0;
      bits.set(`${isBelow} ${pattern}`, bit);
      scopes.push({ pattern, isBelow, bit, glob: new Bun.Glob(pattern) });
      return bit;
    };
    this.rules = patterns.flatMap((pattern) => {
      const parsed = parse(pattern);
      const bit = parsed && bitOf(parsed.scope);
      return bit === undefined ? [] : [{ prefix: parsed!.prefix, suffix: parsed!.suffix, scopes: bit }];
    });
    this.#scopes = scopes;
  }

  /** In which scopes a directory is, as bits. @param path as the user sees it */
  scopesAt(path: string): number {
    const places = selfAndAncestors(path);
    const isAt = (at: string, { pattern, glob }: { pattern: string; glob: InstanceType<typeof Bun.Glob> }) =>
      at === pattern || (at !== "/" && glob.match(at)); // Bun's `/*` matches the root
    return union(
      this.#scopes
        .filter((scope) => (scope.isBelow ? places.some((at) => isAt(at, scope)) : isAt(path, scope)))
        .map(({ bit }) => bit),
    );
  }

  /**
   * In which scopes a target would be missed: those that one of the names on its way is left out in, and those
   * that what is born on the way takes over, where the target itself is not.
   */
  scopesNeeded(path: string, names: readonly string[]): number {
    const all = names.map(pathBytes);
    const naming = this.rules.filter((rule) => all.some((name) => matches(rule, name))).map(({ scopes }) => scopes);
    const inherited = union(this.#scopes.filter(({ isBelow }) => isBelow).map(({ bit }) => bit));
    return union([...naming, inherited & ~this.scopesAt(path)]);
  }
}

const union = (bits: readonly number[]): number => bits.reduce((all, bit) => all | bit, 0) >>> 0;

/** undefined: only a whole path can tell. */
function parse(pattern: string): ({ readonly scope: Scope } & Pick<NameRule, "prefix" | "suffix">) | undefined {
  const slash = pattern.lastIndexOf("/");
  const directory = pattern.slice(0, slash);
  const name = pattern.slice(slash + 1);
  if (MAGIC_DIRECTORY.test(directory) || MAGIC_NAME.test(name) || name === "") return undefined;
  // all that is below a directory begins with what is in it
  const [prefix = "", suffix, more] = name === "**" ? ["", ""] : name.split("*");
  if (more !== undefined) return undefined;
  const base = directory.replace(/(\/\*\*)+$/, "");
  const scope = { pattern: base === "" ? "/" : base, isBelow: base !== directory };
  return { scope, prefix: pathBytes(prefix), suffix: suffix === undefined ? undefined : pathBytes(suffix) };
}

/** As is_excluded() of bpf/excludes.bpf.h does it. */
function matches({ prefix, suffix }: NameRule, name: Buffer): boolean {
  if (suffix === undefined) return name.equals(prefix);
  return (
    name.length >= prefix.length + suffix.length &&
    name.subarray(0, prefix.length).equals(prefix) &&
    name.subarray(name.length - suffix.length).equals(suffix)
  );
}
