// Random directory trees with symbolic links, and the kernel's own answer to where a path in them leads.

import { dlopen } from "bun:ffi";
import fc from "fast-check";
import { closeSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPath } from "../../../src/kernel/libc.ts";

/** A directory tree: names to file, directory or symbolic link. */
export type Tree = { readonly [name: string]: "file" | Tree | { readonly link: string } };

const isLink = (node: Tree[string]): node is { readonly link: string } =>
  typeof node === "object" && typeof node["link"] === "string";

/** @param prefix what absolute links get in front */
export function plant(directory: string, tree: Tree, prefix = ""): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, node] of Object.entries(tree)) {
    const path = join(directory, name);
    if (node === "file") writeFileSync(path, "");
    else if (isLink(node)) symlinkSync(node.link.startsWith("/") ? `${prefix}${node.link}` : node.link, path);
    else plant(path, node, prefix);
  }
}

/** A tree that is gone when it goes out of scope. */
export class Planted implements Disposable {
  readonly path: string;

  constructor(path: string, tree: Tree, prefix?: string) {
    this.path = path;
    plant(path, tree, prefix);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const NAMES = ["a", "b", "c"];

/** A path of few names, so that it often leads somewhere; without a slash at its end. */
export const anyPath = fc
  .tuple(
    fc.array(fc.constantFrom(...NAMES, ...NAMES, "..", ".", ""), { maxLength: 5 }),
    fc.constantFrom(...NAMES, ...NAMES, ".."),
  )
  .map(([first, last]) => [...first, last].join("/").replace(/^\/+/, ""));

const anyLink = fc.tuple(fc.boolean(), anyPath).map(([absolute, path]) => ({ link: absolute ? `/${path}` : path }));

export const anyTree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; node: Tree[string] }>((tie) => ({
  tree: fc.dictionary(fc.constantFrom(...NAMES), tie("node"), { maxKeys: 3 }) as fc.Arbitrary<Tree>,
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: "tree" },
    anyLink,
    fc.constant("file" as const),
    tie("tree"),
    tie("tree"),
  ),
})).tree;

const O_PATH = 0o10000000n;
/** Linux 5.6, fddb5d430ad9 "open: introduce openat2(2) syscall": one number on every architecture. */
const SYS_openat2 = 437;
const RESOLVE_IN_ROOT = 0x10n;

const { symbols: libc } = dlopen("libc.so.6", {
  syscall: {
    args: ["i64", "i64" /* int dirfd */, "ptr" /* path */, "ptr" /* struct open_how * */, "u64" /* its size */],
    returns: "i64",
  },
});

/** Where a path leads when `root` is `/`, by openat2(2); undefined when nowhere. */
export function kernelResolve(root: string, path: string): string | undefined {
  const rootFd = openPath(root);
  if (rootFd === undefined) throw new Error(`${root} is not there`);
  const how = BigUint64Array.of(O_PATH, 0n, RESOLVE_IN_ROOT);
  const fd = Number(libc.syscall(SYS_openat2, rootFd, Buffer.from(`${path}\0`), how, how.byteLength));
  closeSync(rootFd);
  if (fd < 0) return undefined;
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
