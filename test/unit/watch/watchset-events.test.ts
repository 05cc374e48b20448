import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { WatchSet } from "../../../src/watch/watchset.ts";
import { entryEvent, eventOf, targetOf } from "./events.ts";
import { type RecordingSource, Rig, knownKey } from "./watchset-rig.ts";

let rig: Rig;
let source: RecordingSource;
let set: WatchSet;
const at = (path: string) => rig.at(path);

beforeEach(() => {
  rig = new Rig();
  ({ source, set } = rig);
});
afterEach(() => rig[Symbol.dispose]());

/** Holds what is watched against paths below the root, each by the inode that it leads to now. */
const expectWatched = (...paths: string[]) => expect(rig.watched(...paths)).toEqual([...paths].sort());

describe("a member of a watched directory", () => {
  const ssh = targetOf("/etc/ssh");
  const config = targetOf("/etc/ssh/config", ssh);

  test("is reached from there", () => {
    set.refresh(ssh);
    source.calls.length = 0;
    expect(set.refresh(config)?.path).toBe(at("etc/ssh/config"));
    expect(source.calls).toEqual(["etc/ssh", "etc/ssh/config"].map((path) => `watch ${at(path)}`));
    set.remove(ssh);
    expectWatched("etc/ssh", "etc/ssh/config");
    set.remove(config);
    expectWatched();
  });

  test("is reached through the symbolic link that the directory is", () => {
    symlinkSync("etc/ssh", at("link"));
    const link = targetOf("/link");
    const member = targetOf("/link/config", link);
    set.refresh(link);
    expect(set.refresh(member)?.path).toBe(at("etc/ssh/config"));
    expect([...set.targetsAt(knownKey(at("etc/ssh")))]).toEqual([link]);
  });

  test("of the root is reached, too", () => {
    writeFileSync(at("top"), "");
    const all = targetOf("/");
    set.refresh(all);
    expect(set.refresh(targetOf("/top", all))?.path).toBe(at("top"));
    expectWatched("", "top");
  });

  test("may be a directory with members", () => {
    const etc = targetOf("/etc");
    const inner = targetOf("/etc/ssh", etc);
    const below = targetOf("/etc/ssh/config", inner);
    for (const target of [etc, inner, below]) set.refresh(target);
    expectWatched("", "etc", "etc/ssh", "etc/ssh/config");
  });

  test("is nowhere when its directory is, or was never seen", () => {
    expect(set.refresh(config)).toBeUndefined();
    expectWatched();
    rmSync(at("etc/ssh"), { recursive: true });
    set.refresh(ssh);
    expect(set.refresh(config)).toBeUndefined();
    expectWatched("", "etc");
  });

  test("follows its directory when that is replaced", () => {
    for (const target of [ssh, config]) set.refresh(target);
    renameSync(at("etc/ssh"), at("etc/old"));
    mkdirSync(at("etc/ssh"));
    writeFileSync(at("etc/ssh/config"), "");
    for (const target of [ssh, config]) set.refresh(target);
    expectWatched("", "etc", "etc/ssh", "etc/ssh/config");
  });

  test("hears of its own name, and of no directory above it", () => {
    for (const target of [ssh, config]) set.refresh(target);
    const about = (directory: string, name: string) => [
      ...set.targetsOf(entryEvent("rename", knownKey(at(directory)), name)),
    ];
    expect([about("etc/ssh", "config"), about("etc", "ssh"), about("", "etc")]).toEqual([[config], [ssh], [ssh]]);
  });
});

describe("an event is about", () => {
  const passwd = targetOf("/etc/passwd");
  const config = targetOf("/etc/ssh/config");
  const ssh = targetOf("/etc/ssh");
  const about = (path: string) => [...set.targetsOf({ ...eventOf("write", 0n), node: knownKey(at(path)) })];
  const aboutEntry = (directory: string, name: string) => [
    ...set.targetsOf(entryEvent("rename", knownKey(at(directory)), name)),
  ];

  beforeEach(() => {
    for (const target of [passwd, config, ssh]) set.refresh(target);
  });

  test("the targets that end in its inode", () => {
    expect(about("etc/passwd")).toEqual([passwd]);
    expect(about("etc/ssh")).toEqual([ssh]);
    expect(about("etc")).toEqual([]);
  });

  test("the targets that lead through its name", () => {
    expect(aboutEntry("", "etc")).toEqual([passwd, config, ssh]);
    expect(aboutEntry("etc", "ssh")).toEqual([config, ssh]);
    expect(aboutEntry("etc", "passwd")).toEqual([passwd]);
    expect(aboutEntry("etc", "passwd2")).toEqual([]);
    expect(aboutEntry("etc/ssh", "passwd")).toEqual([]);
  });

  test("each target once, whatever it names twice", () => {
    const directory = knownKey(at("etc"));
    const event = {
      ...eventOf("rename", 0n),
      node: knownKey(at("etc/passwd")),
      entries: ["passwd", "passwd", "ssh"].map((name) => ({ directory, name })),
    };
    expect([...set.targetsOf(event)]).toEqual([passwd, config, ssh]);
  });

  test("nobody, once the target is gone", () => {
    for (const target of [passwd, config, ssh]) set.remove(target);
    expect([about("etc/passwd"), aboutEntry("etc", "passwd"), aboutEntry("", "etc")]).toEqual([[], [], []]);
  });

  test("the new file and not the old one, once it is replaced", () => {
    renameSync(at("etc/passwd"), at("etc/passwd-"));
    writeFileSync(at("etc/passwd"), "");
    set.refresh(passwd);
    expect([about("etc/passwd"), about("etc/passwd-")]).toEqual([[passwd], []]);
  });

  test("a missing name, when that is waited for", () => {
    const none = targetOf("/etc/none/x");
    set.refresh(none);
    expect(aboutEntry("etc", "none")).toEqual([none]);
  });

  test("a new member of the targets that lead to its directory", () => {
    expect([...set.targetsAt(knownKey(at("etc/ssh")))]).toEqual([ssh]);
    expect([...set.targetsAt(knownKey(at("etc")))]).toEqual([]);
  });
});

describe("an event is directly about a target", () => {
  const config = targetOf("/etc/ssh/config");
  const isDirect = (target: typeof config, directory: string, name: string) =>
    set.isDirect(target, entryEvent("birth", knownKey(at(directory)), name));

  test("for its own inode and its own name, not for those of directories on its way", () => {
    set.refresh(config);
    expect(set.isDirect(config, { ...eventOf("write", 0n), node: knownKey(at("etc/ssh/config")) })).toBe(true);
    expect(isDirect(config, "etc/ssh", "config")).toBe(true);
    expect(isDirect(config, "etc", "ssh")).toBe(false);
    expect(isDirect(config, "", "etc")).toBe(false);
  });

  test("for its name when it is missing, and for nothing while its directory is missing", () => {
    const none = targetOf("/etc/ssh/none");
    const far = targetOf("/etc/none/far");
    for (const target of [none, far]) set.refresh(target);
    expect(isDirect(none, "etc/ssh", "none")).toBe(true);
    expect(isDirect(far, "etc", "none")).toBe(false);
  });

  test("when it was never seen", () => {
    expect(isDirect(targetOf("/etc/ssh/new"), "etc/ssh", "new")).toBe(true);
  });

  test("for the name of the file that a symbolic link leads to", () => {
    symlinkSync("ssh/config", at("etc/link"));
    const link = targetOf("/etc/link");
    set.refresh(link);
    expect(isDirect(link, "etc/ssh", "config")).toBe(true);
    expect(isDirect(link, "etc", "ssh")).toBe(false);
  });

  test("for the name of the symbolic link that it is itself", () => {
    symlinkSync("ssh/config", at("etc/link"));
    const link = targetOf("/etc/link");
    set.refresh(link);
    expect(isDirect(link, "etc", "link")).toBe(true);
  });
});

describe("an inode that is no more", () => {
  const passwd = targetOf("/etc/passwd");

  test("is nobody's, until its path is walked again", () => {
    set.refresh(passwd);
    const key = knownKey(at("etc/passwd"));
    expect(set.release(key)).toEqual([passwd]);
    expect([...set.targetsOf({ ...eventOf("write", 1n), node: key })]).toEqual([]);
    expect(set.endOf(passwd)).toBeUndefined();
    expectWatched("", "etc");
    set.refresh(passwd);
    expect([...set.targetsOf({ ...eventOf("write", 1n), node: key })]).toEqual([passwd]);
    expectWatched("", "etc", "etc/passwd");
  });

  test("may be a directory on the way, whose names are nobody's either", () => {
    set.refresh(passwd);
    const etc = knownKey(at("etc"));
    set.release(etc);
    expect([...set.targetsOf(entryEvent("birth", etc, "passwd"))]).toEqual([]);
    expect([...set.targetsOf(entryEvent("birth", knownKey(at("")), "etc"))]).toEqual([passwd]);
  });

  test("that nobody knows is nothing", () => {
    expect(set.release(knownKey(at("etc/shadow")))).toEqual([]);
  });
});
