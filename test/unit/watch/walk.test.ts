import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Statx, statx } from "../../../src/kernel/libc.ts";
import { type Walk, type WalkFs, signatureOf, walk } from "../../../src/watch/walk.ts";
import { Planted, anyPath, anyTree, kernelResolve } from "./trees.ts";

const sameWalk = (a: Walk, b: Walk): boolean => signatureOf(a) === signatureOf(b);

/** In memory where there is such a place: a disk that others use makes hundreds of trees slow. */
const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const work = realpathSync(mkdtempSync(join(parent, "bpfink-walk-")));
afterAll(() => rmSync(work, { recursive: true }));
const realFs: WalkFs = { statx, readlink: (path) => readlinkSync(path) };

function statOf(type: Statx["type"], inode: bigint, mountId: bigint | undefined = 1n): Statx {
  return {
    type,
    inode,
    mountId,
    mode: 0o755,
    uid: 0,
    gid: 0,
    nlink: 1,
    size: 0n,
    deviceMajor: 8,
    deviceMinor: 1,
    mtime: 0n,
    ctime: 0n,
  };
}

/**
 * A file system in memory. It answers only as the walk may ask: for paths below `root` without a
 * symbolic link on the way.
 *
 * @param links symbolic links and where they lead
 */
class FakeFs implements WalkFs {
  readonly #root: string;
  readonly #nodes = new Map<string, Statx>();
  readonly #links: Readonly<Record<string, string>>;

  constructor(files: readonly string[], links: Readonly<Record<string, string>>, root = "/") {
    this.#root = root;
    this.#links = links;
    for (const path of [...files, ...Object.keys(links)]) this.#plant(path, path in links ? "symlink" : "file");
  }

  statx(path: string): Statx | undefined {
    const inside = path === this.#root || path.startsWith(join(this.#root, "/"));
    if (!inside) throw new Error(`${path} is outside of ${this.#root}`);
    for (let at = dirname(path); at !== "/"; at = dirname(at)) {
      if (at in this.#links) throw new Error(`${path} passes through a symbolic link`);
    }
    return this.#nodes.get(path);
  }

  readlink(path: string): string {
    const target = this.#links[path];
    if (target === undefined) throw new Error(`${path} is no symbolic link`);
    return target;
  }

  #plant(path: string, type: Statx["type"]): void {
    if (this.#nodes.has(path)) return;
    if (path !== "/") this.#plant(dirname(path), "directory");
    this.#nodes.set(path, statOf(type, BigInt(this.#nodes.size + 1)));
  }
}

/** A walk as text: the entries that were looked up, and where it ended. */
function summary({ steps, end }: Walk): { entries: string[]; end: string | undefined } {
  return { entries: steps.map(({ directory, name }) => join(directory, name)), end: end?.path };
}

const walked = (fs: WalkFs, path: string, root = "/") => summary(walk(fs, root, path));

describe("a walk remembers every entry on the way:", () => {
  test("of a plain path", () => {
    const fs = new FakeFs(["/etc/ssh/sshd_config"], {});
    expect(walk(fs, "/", "/etc/ssh/sshd_config")).toEqual({
      steps: [
        { directory: "/", directoryStat: statOf("directory", 1n), name: "etc", isLast: false },
        { directory: "/etc", directoryStat: statOf("directory", 2n), name: "ssh", isLast: false },
        { directory: "/etc/ssh", directoryStat: statOf("directory", 3n), name: "sshd_config", isLast: true },
      ],
      rest: [],
      end: { path: "/etc/ssh/sshd_config", stat: statOf("file", 4n) },
    });
  });

  test("of the root itself, none", () => {
    const fs = new FakeFs(["/x"], {});
    expect(walk(fs, "/", "/")).toEqual({
      steps: [],
      rest: [],
      end: { path: "/", stat: statOf("directory", 1n) },
    });
  });

  test("of a relative link", () => {
    const fs = new FakeFs(["/run/resolv/conf"], { "/etc/resolv.conf": "../run/resolv/conf" });
    expect(walked(fs, "/etc/resolv.conf")).toEqual({
      entries: ["/etc", "/etc/resolv.conf", "/run", "/run/resolv", "/run/resolv/conf"],
      end: "/run/resolv/conf",
    });
  });

  test("of an absolute link in the middle", () => {
    const fs = new FakeFs(["/data/etc/passwd"], { "/etc": "/data/etc" });
    expect(walked(fs, "/etc/passwd")).toEqual({
      entries: ["/etc", "/data", "/data/etc", "/data/etc/passwd"],
      end: "/data/etc/passwd",
    });
  });

  test("of links to links", () => {
    const fs = new FakeFs(["/z/file"], { "/a": "b/", "/b": "/c", "/c": "./z" });
    expect(walked(fs, "/a/file")).toEqual({ entries: ["/a", "/b", "/c", "/z", "/z/file"], end: "/z/file" });
  });

  test("up to the one that is missing", () => {
    const fs = new FakeFs(["/etc/passwd"], {});
    expect(walked(fs, "/etc/none/passwd")).toEqual({ entries: ["/etc", "/etc/none"], end: undefined });
    expect(walked(fs, "/etc/none/..")).toEqual({ entries: ["/etc", "/etc/none"], end: undefined });
  });

  test("and the names behind the one that is missing", () => {
    const fs = new FakeFs(["/etc/passwd"], { "/etc/link": "gone/x" });
    expect(walk(fs, "/", "/etc/none/a/b").rest).toEqual(["a", "b"]);
    expect(walk(fs, "/", "/etc/link/y").rest).toEqual(["x", "y"]);
    expect(walk(fs, "/", "/etc/passwd/x").rest).toEqual(["x"]);
  });

  test("up to the one that is missing at the end of a link", () => {
    const fs = new FakeFs(["/etc/passwd"], { "/etc/link": "gone/x" });
    expect(walked(fs, "/etc/link")).toEqual({ entries: ["/etc", "/etc/link", "/etc/gone"], end: undefined });
  });

  test("up to a file that should be a directory", () => {
    const fs = new FakeFs(["/etc/passwd"], {});
    for (const path of ["/etc/passwd/x", "/etc/passwd/..", "/etc/passwd/x/y"]) {
      expect(walked(fs, path)).toEqual({ entries: ["/etc", "/etc/passwd"], end: undefined });
    }
  });
});

test("slashes and dots in a path mean nothing", () => {
  const fs = new FakeFs(["/etc/ssh/config"], {});
  for (const path of ["//etc///ssh/config", "/./etc/./ssh/././config", "/etc/ssh/config"]) {
    expect(walked(fs, path)).toEqual({ entries: ["/etc", "/etc/ssh", "/etc/ssh/config"], end: "/etc/ssh/config" });
  }
  expect(walked(fs, "/etc/ssh//")).toEqual({ entries: ["/etc", "/etc/ssh"], end: "/etc/ssh" });
});

test("a directory's parent is the one that it is in, not the one of the link to it", () => {
  const fs = new FakeFs(["/a/b/c/x", "/a/b/y", "/d/y"], { "/d/link": "/a/b/c" });
  expect(walked(fs, "/d/link/../y")).toEqual({
    entries: ["/d", "/d/link", "/a", "/a/b", "/a/b/c", "/a/b/y"],
    end: "/a/b/y",
  });
});

test("links that lead to each other lead nowhere", () => {
  const fs = new FakeFs([], { "/a": "b", "/b": "/a", "/self": "self/x" });
  expect(walk(fs, "/", "/a").end).toBeUndefined();
  expect(walk(fs, "/", "/self").end).toBeUndefined();
  expect(
    walk(fs, "/", "/a")
      .steps.map(({ name }) => name)
      .slice(0, 3),
  ).toEqual(["a", "b", "a"]);
});

test("a path may hold 40 links and no more, as the kernel has it", () => {
  const links = Array.from({ length: 41 }, (_, i) => [`l${i + 1}`, { link: i === 0 ? "file" : `l${i}` }]);
  using tree = new Planted(join(work, "chain"), { file: "file", ...Object.fromEntries(links) });
  const ends = ["/l40", "/l41"].map((path) => walk(realFs, tree.path, path).end?.path);
  expect(ends).toEqual([join(tree.path, "file"), undefined]);
  expect(ends).toEqual(["/l40", "/l41"].map((path) => kernelResolve(tree.path, path)));
});

describe("with a root", () => {
  const fs = new FakeFs(
    ["/srv/root/etc/passwd", "/etc/passwd", "/srv/etc/passwd"],
    {
      "/srv/root/up": "../../etc/passwd",
      "/srv/root/absolute": "/etc/passwd",
      "/srv/root/etc/farup": "/../../../..//etc/passwd",
      "/srv/root/slash": "/",
    },
    "/srv/root",
  );

  test.each([
    "/etc/passwd",
    "/../../etc/passwd",
    "/up",
    "/absolute",
    "/etc/farup",
    "/slash/etc/passwd",
    "/slash/../etc/passwd",
    "/etc/../../../up",
  ])("%s stays inside", (path) => {
    expect(walk(fs, "/srv/root", path).end?.path).toBe("/srv/root/etc/passwd");
  });

  test("the root is its own parent", () => {
    expect(walked(fs, "/..", "/srv/root")).toEqual({ entries: [], end: "/srv/root" });
    expect(walked(fs, "/slash/..", "/srv/root")).toEqual({ entries: ["/srv/root/slash"], end: "/srv/root" });
  });

  test("that is not there, nothing is", () => {
    expect(walk(fs, "/srv/root/none", "/etc")).toEqual({ steps: [], rest: ["etc"], end: undefined });
  });
});

describe("the last name of a path, and of the link that it is,", () => {
  const fs = new FakeFs(["/etc/passwd", "/d/x"], {
    "/etc/link": "../d/x",
    "/etc/again": "/etc/link/.",
    "/etc/far": "/none/new",
    "/way": "/d",
    "/loop": "loop",
  });

  test.each([
    ["/", []],
    ["/etc", ["/etc"]],
    ["/etc/./passwd/.", ["/etc/passwd"]],
    ["/etc/new", ["/etc/new"]],
    ["/etc/link", ["/etc/link", "/d/x"]],
    ["/etc/again", ["/etc/again", "/etc/link", "/d/x"]],
    ["/etc/far", ["/etc/far"]],
    ["/way/x", ["/d/x"]],
    ["/none/new", []],
    ["/etc/passwd/x", []],
    ["/etc/none/..", []],
  ])("of %s", (path, expected) => {
    const last = walk(fs, "/", path).steps.filter(({ isLast }) => isLast);
    expect(last.map(({ directory, name }) => join(directory, name))).toEqual(expected);
  });
});

describe("a walk from a directory", () => {
  const fs = new FakeFs(
    ["/srv/root/etc/ssh/config", "/srv/root/x"],
    {
      "/srv/root/etc/ssh/up": "../../x",
      "/srv/root/etc/ssh/absolute": "/x",
      "/srv/root/etc/ssh/out": "../../../../../x",
    },
    "/srv/root",
  );

  test.each([
    ["/config", ["/srv/root/etc/ssh/config"], "/srv/root/etc/ssh/config"],
    ["config", ["/srv/root/etc/ssh/config"], "/srv/root/etc/ssh/config"],
    ["", [], "/srv/root/etc/ssh"],
    ["none", ["/srv/root/etc/ssh/none"], undefined],
    ["up", ["/srv/root/etc/ssh/up", "/srv/root/x"], "/srv/root/x"],
    ["absolute", ["/srv/root/etc/ssh/absolute", "/srv/root/x"], "/srv/root/x"],
    ["out", ["/srv/root/etc/ssh/out", "/srv/root/x"], "/srv/root/x"],
  ])("%j begins there, and links lead where they lead", (path, entries, end) => {
    expect(summary(walk(fs, "/srv/root", path, "/srv/root/etc/ssh"))).toEqual({ entries, end });
  });
});

describe("a link that changes under the walk", () => {
  const links = { "/link": "file" };

  test("leads nowhere when it is no link any more", () => {
    const fs = new FakeFs(["/file"], links);
    fs.readlink = () => {
      throw new Error("EINVAL");
    };
    expect(walked(fs, "/link")).toEqual({ entries: ["/link"], end: undefined });
  });

  test("leads nowhere when the root is gone meanwhile", () => {
    const fs = new FakeFs(["/file"], { "/link": "/file" });
    const { statx: original } = fs;
    let left = 2;
    fs.statx = (path) => (left-- > 0 ? original.call(fs, path) : undefined);
    expect(walked(fs, "/link")).toEqual({ entries: ["/link"], end: undefined });
  });
});

describe("walks have the same signature", () => {
  const before = walk(new FakeFs(["/etc/passwd"], {}), "/", "/etc/passwd");
  const [first, second] = before.steps;
  const withEnd = (changes: Partial<Statx>): Walk => ({
    ...before,
    end: { path: before.end!.path, stat: { ...before.end!.stat, ...changes } },
  });
  const withStep = (changes: Partial<Statx>): Walk => ({
    ...before,
    steps: [first!, { ...second!, directoryStat: { ...second!.directoryStat, ...changes } }],
  });

  test("when nothing changed, and when only what is in the file did", () => {
    const same = [
      walk(new FakeFs(["/etc/passwd"], {}), "/", "/etc/passwd"),
      withEnd({ size: 5n, mtime: 6n, ctime: 7n, mode: 0, uid: 1, nlink: 2 }),
      withStep({ size: 5n, mtime: 6n, ctime: 7n, mode: 0, uid: 1, nlink: 2 }),
    ];
    expect(same.map(signatureOf)).toEqual(same.map(() => signatureOf(before)));
  });

  test.each<[string, Walk]>([
    ["the file is another", withEnd({ inode: 99n })],
    ["the file is on another mount", withEnd({ mountId: 99n })],
    ["the file is gone", { ...before, end: undefined }],
    ["the file is a directory now", withEnd({ type: "directory" })],
    ["the file has another path", { ...before, end: { ...before.end!, path: "/etc/other" } }],
    ["a directory is another", withStep({ inode: 99n })],
    ["a directory is on another mount", withStep({ mountId: 99n })],
    ["a directory has another path", { ...before, steps: [first!, { ...second!, directory: "/other" }] }],
    ["a name is another", { ...before, steps: [first!, { ...second!, name: "other" }] }],
    ["there are fewer entries", { ...before, steps: [first!] }],
    ["there are more entries", { ...before, steps: [first!, second!, second!] }],
  ])("never when %s", (_, after) => {
    expect(signatureOf(after)).not.toBe(signatureOf(before));
  });
});

describe("on real trees", () => {
  let count = 0;
  const next = () => join(work, `tree${count++}`);

  test("a walk from / ends where realpath(3) does", () => {
    const property = fc.property(anyTree, fc.array(anyPath, { minLength: 1, maxLength: 8 }), (tree, paths) => {
      const base = next();
      using planted = new Planted(base, tree, base);
      for (const path of paths) {
        const full = `${planted.path}/${path}`;
        expect([path, walk(realFs, "/", full).end?.path]).toEqual([path, realpath(full)]);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("a walk in a root ends where openat2(2) with RESOLVE_IN_ROOT does", () => {
    const property = fc.property(anyTree, fc.array(anyPath, { minLength: 1, maxLength: 8 }), (tree, paths) => {
      using planted = new Planted(next(), tree);
      for (const path of paths) {
        const { steps, end } = walk(realFs, planted.path, `/${path}`);
        expect([path, end?.path]).toEqual([path, kernelResolve(planted.path, `/${path}`)]);
        for (const { directory, directoryStat } of steps) {
          expect(realpath(directory)).toBe(directory);
          expect(directoryStat).toEqual(statx(directory)!);
        }
      }
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("a walk depends on nothing but its entries", () => {
    const property = fc.property(anyTree, anyPath, (tree, path) => {
      using planted = new Planted(next(), tree);
      const before = walk(realFs, planted.path, `/${path}`);
      removeAllBut(new Set(summary(before).entries), planted.path);
      expect(summary(walk(realFs, planted.path, `/${path}`))).toEqual(summary(before));
    });
    fc.assert(property, { numRuns: 200 });
  });

  // A link may hold 4095 bytes, whatever their meaning.
  test("a link to a name that is too long leads nowhere, and is remembered like any other", () => {
    using tree = new Planted(next(), {});
    symlinkSync("x".repeat(256), join(tree.path, "link"));
    expect(kernelResolve(tree.path, "/link")).toBeUndefined();
    const { entries, end } = walked(realFs, "/link", tree.path);
    expect([entries[0], end]).toEqual([join(tree.path, "link"), undefined]);
  });

  test("a slash behind what is no directory leads nowhere, as the kernel has it", () => {
    using tree = new Planted(next(), { file: "file", link: { link: "file/" }, dots: { link: "file/." } });
    const paths = ["/file/", "/file/.", "/link", "/dots"];
    expect(paths.map((path) => kernelResolve(tree.path, path))).toEqual([undefined, undefined, undefined, undefined]);
    expect(paths.map((path) => walk(realFs, tree.path, path).end?.path)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

function realpath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function removeAllBut(entries: ReadonlySet<string>, directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (!entries.has(path)) rmSync(path, { recursive: true });
    else if (statx(path)?.type === "directory") removeAllBut(entries, path);
  }
}
