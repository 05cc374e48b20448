import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { statx } from "../../../src/kernel/libc.ts";
import { parseMountinfo } from "../../../src/watch/mounts.ts";
import type { NodeKey } from "../../../src/event.ts";
import type { WatchNode } from "../../../src/source/source.ts";
import { WatchSet } from "../../../src/watch/watchset.ts";
import { eventOf, targetOf } from "./events.ts";
import { RecordingSource, Rig, knownKey } from "./watchset-rig.ts";

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

describe("a target needs watches on", () => {
  test("every directory on its way, and the file", () => {
    const end = set.refresh(targetOf("/etc/ssh/config"));
    expect(end).toMatchObject({ path: at("etc/ssh/config"), stat: { inode: statx(at("etc/ssh/config"))!.inode } });
    expectWatched("", "etc", "etc/ssh", "etc/ssh/config");
  });

  test("inodes, which are named as the kernel names them", () => {
    set.refresh(targetOf("/etc/passwd"));
    const stat = statx(rig.root)!;
    const device = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).get(stat.mountId!)!;
    const inode = (path: string) => statx(at(path))!.inode;
    expect([...source.watched.values()]).toEqual([
      { path: at(""), device, inode: inode(""), as: "directory", inherit: false },
      { path: at("etc"), device, inode: inode("etc"), as: "directory", inherit: false },
      { path: at("etc/passwd"), device, inode: inode("etc/passwd"), as: "file", inherit: false },
    ]);
  });

  test("a directory whose members are wanted, from their birth on", () => {
    set.refresh(targetOf("/etc/ssh"));
    expect([...source.watched.values()].map(({ path, as, inherit }) => ({ path, as, inherit }))).toEqual([
      { path: at(""), as: "directory", inherit: false },
      { path: at("etc"), as: "directory", inherit: false },
      { path: at("etc/ssh"), as: "directory", inherit: true },
    ]);
  });

  test("the directory where a name is missing, and what is born there", () => {
    expect(set.refresh(targetOf("/etc/none/deep/file"))).toBeUndefined();
    expect([...source.watched.values()].map(({ path, inherit }) => ({ path, inherit }))).toEqual([
      { path: at(""), inherit: false },
      { path: at("etc"), inherit: true },
    ]);
  });

  test("what symbolic links lead through, and not the links themselves", () => {
    mkdirSync(at("run"));
    writeFileSync(at("run/conf"), "");
    symlinkSync("/run/conf", at("etc/conf"));
    expect(set.refresh(targetOf("/etc/conf"))?.path).toBe(at("run/conf"));
    expectWatched("", "etc", "run", "run/conf");
  });

  test("the root alone, when that is the target", () => {
    expect(set.refresh(targetOf("/"))?.path).toBe(rig.root);
    expectWatched("");
  });
});

describe("watches", () => {
  const passwd = targetOf("/etc/passwd");
  const shadow = targetOf("/etc/shadow");

  test("are shared, and go with the last target that needs them", () => {
    set.refresh(passwd);
    set.refresh(shadow);
    expectWatched("", "etc", "etc/passwd", "etc/shadow");
    set.remove(passwd);
    expectWatched("", "etc", "etc/shadow");
    set.remove(shadow);
    expectWatched();
  });

  test("of two hard links are one", () => {
    linkSync(at("etc/passwd"), at("etc/link"));
    const link = targetOf("/etc/link");
    for (const target of [passwd, link]) set.refresh(target);
    expectWatched("", "etc", "etc/passwd");
    set.remove(passwd);
    expectWatched("", "etc", "etc/link");
  });

  test("are left alone when nothing moved", () => {
    set.refresh(passwd);
    source.calls.length = 0;
    writeFileSync(at("etc/passwd"), "new content");
    expect(set.refresh(passwd)?.path).toBe(at("etc/passwd"));
    expect(source.calls).toEqual([]);
  });

  test("move on to the file that replaced another", () => {
    set.refresh(passwd);
    const old = knownKey(at("etc/passwd"));
    writeFileSync(at("etc/passwd+"), "");
    renameSync(at("etc/passwd+"), at("etc/passwd"));
    set.refresh(passwd);
    expectWatched("", "etc", "etc/passwd");
    expect(source.watched.has(old)).toBe(false);
  });

  test("are in force on the new file before the old one is given up", () => {
    set.refresh(passwd);
    writeFileSync(at("etc/passwd+"), "");
    renameSync(at("etc/passwd+"), at("etc/passwd"));
    source.calls.length = 0;
    set.refresh(passwd);
    expect(source.calls).toEqual([
      ...["", "etc", "etc/passwd"].map((path) => `watch ${at(path)}`),
      `unwatch ${at("etc/passwd")}`,
    ]);
  });

  test("wait in the directory when the file is gone, and follow it when it is back", () => {
    set.refresh(passwd);
    renameSync(at("etc/passwd"), at("kept"));
    expect(set.refresh(passwd)).toBeUndefined();
    expectWatched("", "etc");
    renameSync(at("kept"), at("etc/passwd"));
    expect(set.refresh(passwd)?.path).toBe(at("etc/passwd"));
    expectWatched("", "etc", "etc/passwd");
  });

  test("wait above when directories are gone, and follow each that is born", () => {
    const deep = targetOf("/a/b/c");
    set.refresh(deep);
    expectWatched("");
    mkdirSync(at("a"));
    set.refresh(deep);
    expectWatched("", "a");
    mkdirSync(at("a/b"));
    set.refresh(deep);
    expectWatched("", "a", "a/b");
    writeFileSync(at("a/b/c"), "");
    set.refresh(deep);
    expectWatched("", "a", "a/b", "a/b/c");
    rmSync(at("a"), { recursive: true });
    set.refresh(deep);
    expectWatched("");
  });

  test("follow a symbolic link that is swapped", () => {
    for (const name of ["v1", "v2"]) {
      mkdirSync(at(name));
      writeFileSync(at(`${name}/conf`), name);
    }
    symlinkSync("v1", at("current"));
    const conf = targetOf("/current/conf");
    expect(set.refresh(conf)?.path).toBe(at("v1/conf"));
    expectWatched("", "v1", "v1/conf");
    symlinkSync("v2", at("new"));
    renameSync(at("new"), at("current"));
    expect(set.refresh(conf)?.path).toBe(at("v2/conf"));
    expectWatched("", "v2", "v2/conf");
  });

  test("are renewed for a target that was invalidated, and only once", () => {
    set.refresh(passwd);
    source.calls.length = 0;
    set.invalidate(passwd);
    set.refresh(passwd);
    set.refresh(passwd);
    expect(source.calls).toEqual(["", "etc", "etc/passwd"].map((path) => `watch ${at(path)}`));
    expectWatched("", "etc", "etc/passwd");
  });

  test("go to the successor that has the same inode number, once it is said that the name was given away", () => {
    set.refresh(passwd);
    const { inode } = statx(at("etc/passwd"))!;
    // ext4 gives the number of the last file that went to the next one; elsewhere this is a replacement like any other.
    const number = () => statx(at("etc/passwd"))?.inode;
    for (let tries = 0; tries === 0 || (number() !== inode && tries < 10); tries++) {
      unlinkSync(at("etc/passwd"));
      writeFileSync(at("etc/passwd"), "");
    }
    set.invalidate(passwd);
    set.refresh(passwd);
    expectWatched("", "etc", "etc/passwd");
  });
});

describe("a file in a layer", () => {
  const LAYER = "layer" as NodeKey;

  /** Takes every file for one on overlayfs. */
  class LayeredSource extends RecordingSource {
    override watch(node: WatchNode): NodeKey | undefined {
      if (node.inode !== 7n) return super.watch(node);
      this.calls.push("watch layer");
      this.watched.set(LAYER, { ...node, path: "layer" });
      return LAYER;
    }

    opened = () => ({ writers: 0, mappings: 0, layer: { device: 1, inode: 7n } });
  }

  test("is watched there from the look that opened it on, and stays so when its names are looked up anew", () => {
    const layered = new LayeredSource();
    const layeredSet = new WatchSet(layered, rig.root);
    const target = targetOf("/etc/passwd");
    layeredSet.refresh(target);
    expect(layeredSet.opened(target)).toEqual({ isWritable: false, isNew: true });
    layered.calls.length = 0;
    layeredSet.invalidate(target);
    layeredSet.refresh(target);
    expect(layered.calls.filter((call) => call.includes("layer"))).toEqual([]);
    const written = { ...eventOf("write", 0n), node: LAYER };
    expect([...layeredSet.targetsOf(written)]).toEqual([target]);
    expect(layeredSet.opened(target)).toEqual({ isWritable: false, isNew: false });
    rmSync(at("etc/passwd"));
    layeredSet.refresh(target);
    expect(layered.calls).toContain("unwatch layer");
  });
});

describe("a path that changes while it is walked", () => {
  const passwd = targetOf("/etc/passwd");

  /** Does something before the n-th call to watch() for the path, n from 1. */
  const before = (path: string, n: number, act: () => void) => {
    source.meanwhile = (node) => {
      if (node.path === at(path) && --n === 0) act();
    };
  };
  const replaceFile = () => {
    writeFileSync(at("etc/passwd+"), "new");
    renameSync(at("etc/passwd+"), at("etc/passwd"));
  };

  test("is walked until it stays: the file replaced before its watch", () => {
    before("etc/passwd", 1, replaceFile);
    expect(set.refresh(passwd)?.stat.inode).toBe(statx(at("etc/passwd"))!.inode);
    expectWatched("", "etc", "etc/passwd");
  });

  test("is walked until it stays: the file gone before its watch", () => {
    before("etc/passwd", 1, () => unlinkSync(at("etc/passwd")));
    expect(set.refresh(passwd)).toBeUndefined();
    expectWatched("", "etc");
  });

  test("is walked until it stays: a directory replaced before its watch", () => {
    before("etc", 1, () => {
      renameSync(at("etc"), at("old"));
      mkdirSync(at("etc"));
      writeFileSync(at("etc/passwd"), "");
    });
    expect(set.refresh(passwd)?.stat.inode).toBe(statx(at("etc/passwd"))!.inode);
    expectWatched("", "etc", "etc/passwd");
  });

  test("is walked until it stays: a symbolic link swapped before the watch on its goal", () => {
    for (const name of ["v1", "v2"]) writeFileSync(at(name), name);
    symlinkSync("v1", at("link"));
    before("v1", 1, () => {
      symlinkSync("v2", at("new"));
      renameSync(at("new"), at("link"));
    });
    const link = targetOf("/link");
    expect(set.refresh(link)?.path).toBe(at("v2"));
    const about = (path: string) => [...set.targetsOf({ ...eventOf("write", 0n), node: knownKey(at(path)) })];
    expect([about("v1"), about("v2")]).toEqual([[], [link]]);
  });

  test("ends somewhere, even if it changes for ever, and is watched where it was last", () => {
    source.meanwhile = ({ path }) => {
      if (path === at("etc/passwd")) replaceFile();
    };
    set.refresh(passwd);
    const attempts = source.calls.filter((call) => call === `watch ${at("etc/passwd")}`);
    expect(attempts.length).toBeLessThan(20);
    expect(source.watched.has(knownKey(at("etc/passwd")))).toBe(true);
    source.meanwhile = () => {};
    expect(set.refresh(passwd)?.stat.inode).toBe(statx(at("etc/passwd"))!.inode);
    expect([...set.targetsOf({ ...eventOf("write", 0n), node: knownKey(at("etc/passwd")) })]).toEqual([passwd]);
  });

  test("leaves no watch on a file that was replaced between its watch and the second walk", () => {
    const { watch } = source;
    let left = 3;
    source.watch = function (node) {
      const key = watch.call(this, node);
      if (node.path === at("etc/passwd") && left-- > 0) replaceFile();
      return key;
    };
    set.refresh(passwd);
    expectWatched("", "etc", "etc/passwd");
  });

  test("leaves no watch on a directory whose file vanished before it was watched", () => {
    symlinkSync("ssh/config", at("etc/link"));
    before("etc/ssh/config", 1, () => rmSync(at("etc/ssh"), { recursive: true }));
    const link = targetOf("/etc/link");
    expect(set.refresh(link)).toBeUndefined();
    expectWatched("", "etc");
    set.remove(link);
    expectWatched();
  });
});
