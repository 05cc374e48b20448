import { expect, test } from "bun:test";
import type { NodeKey } from "../../../src/event.ts";
import { SharedSource } from "../../../src/source/shared.ts";
import type { Source, WatchNode } from "../../../src/source/source.ts";

const node = (path: string): WatchNode => ({ path, device: 1, inode: 1n, as: "file", inherit: false });

/** Says what it is told to forget. */
class Forgetful implements Source {
  readonly backend = "forgetful";
  readonly forgotten: string[] = [];
  readonly scopes: string[] = [];

  watch({ path }: WatchNode): NodeKey {
    return path as NodeKey;
  }

  unwatch(key: NodeKey, path: string): void {
    this.forgotten.push(`${key} at ${path}`);
  }

  setScopes(key: NodeKey, scopes: number): void {
    this.scopes.push(`${key}: ${scopes}`);
  }

  start(): void {}
  [Symbol.dispose](): void {}
}

function noted(needed: Set<NodeKey>, key: NodeKey): NodeKey {
  needed.add(key);
  return key;
}

/** An owner, and what it needs. */
function ownerOf(shared: SharedSource) {
  const needed = new Set<NodeKey>();
  const share = shared.share();
  share.claim?.((key) => needed.has(key));
  return { share, needed, watch: (path: string) => noted(needed, share.watch(node(path))!) };
}

test("an inode is forgotten when the last owner that needs it gives it up", () => {
  const source = new Forgetful();
  const shared = new SharedSource(source);
  const [one, other] = [ownerOf(shared), ownerOf(shared)];
  for (const owner of [one, other]) owner.watch("a");
  one.watch("b");
  const giveUp = ({ share, needed }: typeof one, path: string) => {
    needed.delete(path as NodeKey);
    share.unwatch(path as NodeKey, `/${path}`);
  };
  giveUp(one, "a");
  expect(source.forgotten).toEqual([]);
  giveUp(one, "b");
  giveUp(other, "a");
  expect(source.forgotten).toEqual(["b at /b", "a at /a"]);
});

test("who has disposed of its share needs nothing any more", () => {
  const source = new Forgetful();
  const shared = new SharedSource(source);
  const [one, other] = [ownerOf(shared), ownerOf(shared)];
  for (const owner of [one, other]) owner.watch("a");
  one.share[Symbol.dispose]();
  other.needed.clear();
  other.share.unwatch("a" as NodeKey, "/a");
  expect(source.forgotten).toEqual(["a at /a"]);
});

test("who came last says what is left out in a directory that two watch", () => {
  const source = new Forgetful();
  const shared = new SharedSource(source);
  const [before, after] = [ownerOf(shared), ownerOf(shared)];
  const key = before.watch("a");
  before.share.setScopes?.(key, 1);
  after.watch("a");
  before.share.setScopes?.(key, 2);
  after.share.setScopes?.(key, 4);
  after.needed.clear();
  before.share.setScopes?.(key, 8);
  expect(source.scopes).toEqual(["a: 1", "a: 4", "a: 8"]);
});
