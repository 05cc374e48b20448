// Which names the source is told to leave out, in which directories, while targets come and go.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import type { NodeKey } from "../../../src/event.ts";
import { select } from "../../../src/watch/selection.ts";
import { WatchSet } from "../../../src/watch/watchset.ts";
import { targetOf } from "./events.ts";
import { knownKey, RecordingSource, Rig } from "./watchset-rig.ts";

class ScopedSource extends RecordingSource {
  readonly scopes = new Map<NodeKey, number>();

  setScopes(key: NodeKey, scopes: number): void {
    this.scopes.set(key, scopes);
  }

  override unwatch(key: NodeKey): void {
    super.unwatch(key);
    this.scopes.delete(key);
  }
}

let rig: Rig;
let source: ScopedSource;
beforeEach(() => {
  rig = new Rig();
  source = new ScopedSource();
});
afterEach(() => rig[Symbol.dispose]());

function setOf(...patterns: string[]) {
  const { exclusions } = select(["/"], patterns);
  const bits = exclusions.rules.map(({ scopes }) => scopes);
  const at = (path: string) => source.scopes.get(knownKey(rig.at(path))) ?? 0;
  return { set: new WatchSet(source, rig.root, exclusions), bits: bits as [number, ...number[]], at };
}

test("a watched directory and its members have the scopes that they lie in; a directory on the way has none", () => {
  const { set, bits, at } = setOf("/etc/ssh/cache", "/etc/**/*.swp");
  const etc = targetOf("/etc");
  for (const target of [etc, targetOf("/etc/ssh", etc), targetOf("/etc/passwd", etc)]) set.refresh(target);
  expect([at("/"), at("etc"), at("etc/ssh"), at("etc/passwd")]).toEqual([0, bits[1]!, (bits[0] | bits[1]!) >>> 0, 0]);
});

test("a directory that two targets lead to has what both leave out, as long as there are two", () => {
  const { set, bits, at } = setOf("/etc/ssh/cache", "/**/x");
  symlinkSync("/etc/ssh", rig.at("other"));
  const other = targetOf("/other");
  const ssh = targetOf("/etc/ssh");
  set.refresh(ssh);
  expect(at("etc/ssh")).toBe((bits[0] | bits[1]!) >>> 0);
  set.refresh(other);
  expect(at("etc/ssh")).toBe(bits[1]!);
  set.remove(other);
  expect(at("etc/ssh")).toBe((bits[0] | bits[1]!) >>> 0);
});

test("a name that a target's way leads through is told of, whether it is there or not", () => {
  for (const exists of [true, false]) {
    using _ = rig;
    rig = new Rig();
    const { set, bits, at } = setOf("/etc/**/cache", "/**/other");
    if (exists) mkdirSync(rig.at("etc/ssh/new/cache"), { recursive: true });
    symlinkSync("ssh/new/cache/x", rig.at("etc/link"));
    const etc = targetOf("/etc");
    const link = targetOf("/etc/link", etc);
    for (const target of [etc, targetOf("/etc/ssh", etc), link]) set.refresh(target);
    expect([at("etc"), at("etc/ssh")]).toEqual([bits[1]!, bits[1]!]);
    set.remove(link);
    expect(at("etc/ssh")).toBe(bits[1]!); // it stays so: an event too many is no harm
  }
});

test("what is born on the way of a target that lies elsewhere takes nothing over", () => {
  const { set, bits, at } = setOf("/etc/**/cache", "/etc/ssh/here");
  symlinkSync("/etc/ssh/new", rig.at("link"));
  set.refresh(targetOf("/etc/ssh"));
  expect(at("etc/ssh")).toBe((bits[0] | bits[1]!) >>> 0);
  set.refresh(targetOf("/link"));
  expect(at("etc/ssh")).toBe(bits[1]!);
});

test("a directory that was moved has the scopes of its new place", () => {
  const { set, bits, at } = setOf("/etc/ssh/cache", "/etc/moved/cache", "/etc/**/x");
  const etc = targetOf("/etc");
  const [ssh, moved] = [targetOf("/etc/ssh", etc), targetOf("/etc/moved", etc)];
  for (const target of [etc, ssh]) set.refresh(target);
  renameSync(rig.at("etc/ssh"), rig.at("etc/moved"));
  set.refresh(moved);
  expect(at("etc/moved")).toBe(bits[2]!); // until both have been looked at
  set.refresh(ssh);
  expect(at("etc/moved")).toBe((bits[1]! | bits[2]!) >>> 0);
});

test("what is made anew is told anew, and nothing is kept of what is gone", () => {
  const { set, bits, at } = setOf("/etc/ssh/cache");
  const ssh = targetOf("/etc/ssh");
  set.refresh(ssh);
  rmSync(rig.at("etc/ssh"), { recursive: true });
  set.refresh(ssh);
  expect([...source.scopes.values()].filter((scopes) => scopes !== 0)).toEqual([]);
  mkdirSync(rig.at("etc/ssh"));
  set.refresh(ssh);
  expect(at("etc/ssh")).toBe(bits[0]);
});

test("files have no scopes, whatever other names they have", () => {
  const { set } = setOf("/etc/**/passwd.old");
  linkSync(rig.at("etc/passwd"), rig.at("etc/passwd.old"));
  const etc = targetOf("/etc");
  for (const target of [etc, targetOf("/etc/passwd", etc)]) set.refresh(target);
  expect(source.scopes.has(knownKey(rig.at("etc/passwd")))).toBe(false);
});
