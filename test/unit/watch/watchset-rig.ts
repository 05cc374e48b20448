// A tree below a root of its own, a source that records what is watched, and a watch set between them.

import { closeSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeKey } from "../../../src/event.ts";
import { nameToHandle, openPath } from "../../../src/kernel/libc.ts";
import type { Source, WatchNode } from "../../../src/source/source.ts";
import { WatchSet } from "../../../src/watch/watchset.ts";

/**
 * Remembers what is watched, by handle: as fanotify does, it takes a file for another than the one
 * that had its inode number before.
 */
export class RecordingSource implements Source {
  readonly backend = "recording";
  readonly watched = new Map<NodeKey, WatchNode>();
  readonly calls: string[] = [];
  /** Called before an inode is watched: what somebody else does meanwhile. */
  meanwhile: (node: WatchNode) => void = () => {};

  watch(node: WatchNode): NodeKey | undefined {
    this.calls.push(`watch ${node.path}`);
    this.meanwhile(node);
    const key = keyOf(node.path);
    if (key !== undefined) this.watched.set(key, node);
    return key;
  }

  unwatch(key: NodeKey): void {
    const node = this.watched.get(key);
    if (node === undefined) throw new Error(`${key} is not watched`);
    this.calls.push(`unwatch ${node.path}`);
    this.watched.delete(key);
  }

  start(): void {}
  [Symbol.dispose](): void {}
}

export function keyOf(path: string): NodeKey | undefined {
  const fd = openPath(path);
  if (fd === undefined) return undefined;
  try {
    const { type, bytes } = nameToHandle(fd);
    return `${type}:${Buffer.from(bytes).toString("hex")}` as NodeKey;
  } finally {
    closeSync(fd);
  }
}

export function knownKey(path: string): NodeKey {
  const key = keyOf(path);
  if (key === undefined) throw new Error(`${path} is not there`);
  return key;
}

/** Holds etc/passwd, etc/shadow and etc/ssh/config. */
export class Rig implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "bpfink-watchset-")));
  readonly source = new RecordingSource();
  readonly set = new WatchSet(this.source, this.root);

  constructor() {
    mkdirSync(this.at("etc/ssh"), { recursive: true });
    for (const name of ["etc/passwd", "etc/shadow", "etc/ssh/config"]) writeFileSync(this.at(name), name);
  }

  /** A path below the root as others see it. */
  at(path: string): string {
    return join(this.root, path);
  }

  /** What is watched, as those of the paths below the root that lead to it now; else as it was when it was watched. */
  watched(...paths: string[]): string[] {
    const name = ([key, node]: [NodeKey, WatchNode]) => paths.find((path) => keyOf(this.at(path)) === key) ?? node.path;
    return [...this.source.watched].map(name).sort();
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
