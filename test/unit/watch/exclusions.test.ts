import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SCOPES, SCOPES_BELOW } from "../../../src/kernel/excludes.ts";
import { joinPath, parentPath, pathBytes, pathText } from "../../../src/paths.ts";
import type { Exclusions } from "../../../src/watch/exclusions.ts";
import { select } from "../../../src/watch/selection.ts";

/** What the kernel says to a name in a directory whose scopes are known (is_excluded() of bpf/excludes.bpf.h). */
function isExcluded({ rules, scopesAt }: { rules: Exclusions["rules"]; scopesAt: number }, name: string): boolean {
  const bytes = pathBytes(name);
  return rules.some(({ prefix, suffix, scopes }) => {
    if ((scopes & scopesAt) === 0) return false;
    if (suffix === undefined) return bytes.equals(prefix);
    const [before, behind] = [Buffer.from(prefix), Buffer.from(suffix)];
    const rest = bytes.subarray(before.length);
    return (
      bytes.subarray(0, before.length).equals(before) && rest.subarray(-behind.length || rest.length).equals(behind)
    );
  });
}

function refuses(patterns: readonly string[], path: string): { kernel: boolean; user: boolean } {
  const { exclusions, includes } = select(["/"], patterns);
  const scopesAt = exclusions.scopesAt(parentPath(path));
  const name = path.slice(parentPath(path) === "/" ? 1 : parentPath(path).length + 1);
  return { kernel: isExcluded({ rules: exclusions.rules, scopesAt }, name), user: !includes(path) };
}

describe("the kernel can refuse", () => {
  test.each([
    ["/srv/app/cache", ["/srv/app/cache"], ["/srv/cache", "/srv/app/x/cache", "/srv/app/cache2"]],
    ["/srv/**/.git", ["/srv/.git", "/srv/a/.git", "/srv/a/b/.git"], ["/.git", "/srv2/.git", "/srv/a/git"]],
    ["/**/node_modules", ["/node_modules", "/a/b/node_modules"], ["/a/node_modules.x"]],
    ["/srv/*/tmp", ["/srv/a/tmp", "/srv/b/tmp"], ["/srv/tmp", "/srv/a/b/tmp"]],
    ["/etc/*.swp", ["/etc/.swp", "/etc/x.swp"], ["/etc/swp", "/etc/x.swp2", "/etc/a/x.swp"]],
    ["/etc/**/.#*", ["/etc/.#", "/etc/a/.#x"], ["/etc/a/.x#"]],
    ["/a/x*yx", ["/a/xyx", "/a/xyyx"], ["/a/yx"]],
    ["/a/xy*yx", ["/a/xyyx"], ["/a/xyx"]],
    ["/a/{b,c}/{d,*.e}", ["/a/b/d", "/a/c/x.e"], ["/a/b/e", "/a/d"]],
    ["/srv/cache/**", ["/srv/cache/x"], ["/srv/cache", "/srv/cachex"]],
    ["/**", ["/x"], []],
    ["/a/**/b/c", ["/a/b/c", "/a/x/y/b/c"], ["/a/c", "/a/x/c"]],
    ["/a/foo@.service", ["/a/foo@.service"], ["/a/foo@x.service"]],
  ])("%s", (pattern, refused, others) => {
    for (const path of refused) expect([path, refuses([pattern], path)]).toEqual([path, { kernel: true, user: true }]);
    for (const path of others) expect([path, refuses([pattern], path)]).toEqual([path, { kernel: false, user: false }]);
  });
});

test.each(["/a/b?", "/a/[bc]", "/a/*b*", "/a/**b", "/a/\\*", "/a/+(b)", "/(a)/b", "/[a]/b", "/\\a/b", "/a/(b|c)", "/"])(
  "%s is left to user space",
  (pattern) => {
    expect(select(["/"], [pattern]).exclusions.rules).toEqual([]);
  },
);

test("names that are not UTF-8 are compared byte by byte", () => {
  const name = pathText(Uint8Array.of(0x61, 0xff));
  expect(refuses([`/a/${name}`], `/a/${name}`).kernel).toBe(true);
  expect(refuses([`/a/${name}`], `/a/${pathText(Uint8Array.of(0x61, 0xfe))}`).kernel).toBe(false);
  expect(refuses(["/a/a*"], `/a/${name}`)).toEqual({ kernel: true, user: true });
});

test("each place has a bit of its own, one for what is born there and one for what is born below; the 13th has none", () => {
  const places = Array.from({ length: 13 }, (_, i) => String.fromCharCode(97 + i));
  const patterns = places.flatMap((place) => [`/${place}/x`, `/${place}/**/y`, `/${place}/z`]);
  const { exclusions } = select(["/"], patterns);
  expect(exclusions.rules).toHaveLength(12 * 3);
  expect(exclusions.rules.reduce((all, { scopes }) => all | scopes, 0) >>> 0).toBe(SCOPES);
  const bits = places.map((place) => exclusions.scopesAt(`/${place}`));
  expect(new Set(bits).size).toBe(13);
  expect(bits[12]).toBe(0);
  expect(exclusions.scopesAt("/a/deep/er")).toBe((bits[0]! & SCOPES_BELOW) >>> 0);
});

test("what a target needs: names on its way, and what those that are born there take over although it lies elsewhere", () => {
  const { exclusions } = select(["/"], ["/srv/**/cache", "/srv/app/*.log", "/data/x"]);
  const [cache, log, x] = exclusions.rules.map(({ scopes }) => scopes);
  expect(exclusions.scopesNeeded("/srv/app/conf", ["srv", "app", "conf"])).toBe(0);
  expect(exclusions.scopesNeeded("/etc/conf", ["etc", "conf"])).toBe(cache!);
  expect(exclusions.scopesNeeded("/srv/link", ["cache", "a.log"])).toBe((cache! | log!) >>> 0);
  expect(exclusions.scopesNeeded("/srv/x", ["srv", "x"])).toBe(x!);
});

// What decides: a name that user space would report must never be refused by the kernel, whatever the glob.
test("the kernel refuses nothing that user space does not", () => {
  const names = fc.constantFrom("a", "b", ".a", "ab", "aab", "a.b", "a(b)", "a|b", "!a", "a@", "*", "a*", "\udcff");
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "*",
    "**",
    "?",
    "[a-b]",
    "{a,b}",
    "{a,*b}",
    "\\",
    "(",
    ")",
    "|",
    "!",
    "@",
  );
  const part = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(""));
  const simple = fc.constantFrom("a", "b", "**", "*", "a*", "*b", "a*b", ".*");
  const pattern = fc
    .array(fc.oneof({ weight: 3, arbitrary: simple }, part), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join("/")}`);
  const path = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.reduce(joinPath, "/"));
  let refused = 0;
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), path, (patterns, at) => {
      const { kernel, user } = refuses(patterns, at);
      if (kernel) refused++;
      return user || !kernel;
    }),
    { numRuns: 20_000 },
  );
  expect(refused).toBeGreaterThan(1000); // or it has shown nothing
});
