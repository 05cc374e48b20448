import { randomInt } from "node:crypto";
import { readlinkSync } from "node:fs";
import type { Entry, KernelEvent, NodeKey } from "../event.ts";
import { type Statx, statx } from "../kernel/libc.ts";
import { joinPath, pathBytes, pathText } from "../paths.ts";
import type { Source } from "../source/source.ts";
import type { Exclusions } from "./exclusions.ts";
import { SuperBlocks } from "./mounts.ts";
import { directoryOf, type EntryKey, type Resolution, Resolutions } from "./resolutions.ts";
import { Scopes } from "./scopes.ts";
import type { Target } from "./target.ts";
import { type Link, signatureOf, type Walk, walk } from "./walk.ts";

/** So that nobody can make names whose walks hash to the same. */
const SEED = randomInt(2 ** 32);

/** 53 bits: numbers that size take no memory of their own. */
const hashOf = (found: Walk): number => Number(BigInt.asUintN(53, Bun.hash.wyhash(signatureOf(found), BigInt(SEED))));

/** Every inode that is watched for a target: the directories on its way, and the file itself. */
function nodesOf(resolution: Resolution | undefined): Set<NodeKey> {
  const nodes = new Set(resolution?.entries.map(directoryOf));
  if (resolution?.end !== undefined) nodes.add(resolution.end);
  if (resolution?.layer !== undefined) nodes.add(resolution.layer);
  return nodes;
}

/** A path that never stays the same for two walks is left to its events after so many. */
const MAX_ATTEMPTS = 8;

/**
 * Which inodes the source must watch so that nothing can happen to a target unseen, and which
 * targets an event is about. For a target that means every directory on its way (symbolic links
 * followed), for the one name in it that matters, and the file at the end; for a member of a
 * watched directory the way begins there. Inodes are counted: the source forgets one when its last
 * target does.
 */
export class WatchSet implements Disposable {
  readonly #source: Source;
  readonly #root: string;
  readonly #superBlocks = new SuperBlocks();
  readonly #resolutions = new Resolutions();
  readonly #stale = new Set<Target>();
  /** Where targets led until they led nowhere: what is seen can be ahead of the event that tells why. */
  readonly #vanished = new Map<Target, string>();
  /** Where the watched directories are. */
  readonly #directories = new Map<NodeKey, string>();
  readonly #scopes: Scopes;
  readonly #onMove: () => void;

  /**
   * @param root what `/` means; free of symbolic links
   * @param exclusions what the user leaves out of directories
   * @param onMove called when a target is found to lead elsewhere, and is not yet known to
   */
  constructor(source: Source, root: string, exclusions?: Exclusions, onMove: () => void = () => {}) {
    this.#source = source;
    this.#root = root;
    this.#onMove = onMove;
    this.#scopes = new Scopes(source, exclusions);
    source.claim?.((key) => this.#resolutions.uses(key));
  }

  /**
   * Brings the watches of a target in step with the file system: new inodes are watched first, and
   * then the path is walked again, until nothing moved between. Returns where the path leads.
   */
  refresh(target: Target): Walk["end"] {
    let found = this.#walk(target);
    const isStale = this.#stale.delete(target);
    if (!isStale && this.#resolutions.get(target)?.signature === hashOf(found)) return found.end;
    for (let attempt = 1; ; attempt++) {
      const resolution = this.#watch(target, found);
      const again = this.#walk(target);
      if ((resolution !== undefined && resolution.signature === hashOf(again)) || attempt === MAX_ATTEMPTS) {
        if (resolution?.end !== this.endOf(target)) this.#onMove();
        if (resolution !== undefined) this.#replace(target, resolution);
        return again.end;
      }
      if (resolution !== undefined) this.#abandon(nodesOf(resolution), resolution.path);
      found = again;
    }
  }

  /**
   * Says that a name on the way of a target was given, taken or moved: the next refresh watches
   * everything anew. An inode number alone cannot tell a file from its successor.
   */
  invalidate(target: Target): void {
    this.#stale.add(target);
  }

  /**
   * Forgets an inode that is no more, before its number comes back as another's. Returns the targets that
   * it was watched for: at their next refresh they are watched anew.
   */
  release(key: NodeKey): readonly Target[] {
    const targets = [...this.#resolutions.usersOf(key)];
    for (const target of targets) {
      const before = this.#resolutions.get(target);
      if (before === undefined) continue;
      const remains = (entry: EntryKey) => !entry.startsWith(`${key}/`);
      this.#stale.add(target);
      this.#replace(target, {
        ...before,
        entries: before.entries.filter(remains),
        own: before.own.filter(remains),
        end: before.end === key ? undefined : before.end,
        layer: before.layer === key ? undefined : before.layer,
      });
    }
    return targets;
  }

  /** Forgets a target. */
  remove(target: Target): void {
    this.#stale.delete(target);
    this.#replace(target, undefined);
  }

  /** There is no target any more, and will be none. */
  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]();
  }

  /** The targets that an event may have changed. */
  targetsOf(event: KernelEvent): Set<Target> {
    const targets = new Set<Target>(event.node === undefined ? [] : this.#resolutions.endingAt(event.node));
    // names in a layer are not those of the overlay, which has events of its own
    if (event.node !== undefined && event.entries.length === 0)
      for (const target of this.#resolutions.layeredOn(event.node)) targets.add(target);
    for (const { directory, name } of event.entries) {
      for (const target of this.#resolutions.through(directory, name)) targets.add(target);
    }
    return targets;
  }

  /** Whether an event is about the target itself, and not about a directory on its way. */
  isDirect(target: Target, event: KernelEvent): boolean {
    const resolution = this.#resolutions.get(target);
    if (resolution === undefined) return true; // a new member
    const { end, layer, own } = resolution;
    if (event.node !== undefined && (event.node === end || event.node === layer)) return true;
    return event.entries.some(({ directory, name }) => own.includes(`${directory}/${name}`));
  }

  /**
   * Whether a name is told to be born that was there before: it was looked up, which the kernel cannot always tell
   * from a birth. The way to the target is as it was, for the events that follow.
   */
  isKnown(target: Target, { kind, node }: KernelEvent): boolean {
    return (
      (kind === "birth" || kind === "lookup") && node !== undefined && nodesOf(this.#resolutions.get(target)).has(node)
    );
  }

  /** The symbolic link that a target is, as of the last refresh. */
  linkOf(target: Target): Link | undefined {
    return this.#resolutions.get(target)?.link;
  }

  /** Targets that lead to this directory: an unknown name in it is a new member of theirs. */
  targetsAt(directory: NodeKey): readonly Target[] {
    return this.#resolutions.endingAt(directory);
  }

  /** Where a target leads, as of the last refresh. */
  endOf(target: Target): NodeKey | undefined {
    return this.#resolutions.get(target)?.end;
  }

  /**
   * What the kernel says of the file that a target leads to, if that is what this thread opened last. On
   * overlayfs the file in the layer is watched from then on, too: mappings are of that one, and who
   * writes to the layer itself passes the overlay by.
   *
   * @returns isWritable: whether somebody can write to it in silence; isNew: whether it lies in a layer
   * where it was not watched before
   */
  opened(target: Target): { readonly isWritable: boolean; readonly isNew: boolean } | undefined {
    const resolution = this.#resolutions.get(target);
    const opened = resolution?.end && this.#source.opened?.(resolution.end);
    if (resolution?.path === undefined || opened === undefined) return undefined;
    const isWritable = opened.writers + opened.mappings > 0;
    if (opened.layer === undefined) return { isWritable, isNew: false };
    const layer = this.#source.watch({ ...opened.layer, path: resolution.path, as: "file", inherit: false });
    if (layer === undefined || layer === resolution.layer) return { isWritable, isNew: false };
    this.#replace(target, { ...resolution, layer });
    return { isWritable, isNew: true };
  }

  /** The path of a directory entry as the user sees it; undefined if the directory is not watched. */
  placeOf({ directory, name }: Entry): string | undefined {
    const path = this.#directories.get(directory);
    if (path === undefined) return undefined;
    const place = joinPath(path, name);
    return this.#root === "/" ? place : place.slice(this.#root.length);
  }

  /**
   * Where a rename took a target from its place: `to` is undefined when that is in a directory which
   * is not watched. Returns undefined if it did no such thing: something else was moved, or a
   * symbolic link on the way to the target.
   */
  departure(target: Target, event: KernelEvent): { readonly to: string | undefined } | undefined {
    const [from, to] = event.entries;
    const resolution = this.#resolutions.get(target);
    const path = resolution?.path ?? this.#vanished.get(target);
    if (event.kind !== "rename" || from === undefined || resolution === undefined || path === undefined)
      return undefined;
    const place = to && this.placeOf(to);
    const key: EntryKey = `${from.directory}/${from.name}`;
    if (resolution.own.includes(key)) return { to: place };
    if (!resolution.entries.includes(key)) return undefined;
    const directory = this.#directories.get(from.directory);
    const old = directory === undefined ? undefined : joinPath(directory, from.name);
    if (old === undefined || !path.startsWith(`${old}/`)) return undefined;
    return { to: place === undefined ? undefined : place + path.slice(old.length) };
  }

  /** Targets on whose way something was mounted or unmounted at a path. */
  targetsThrough(path: string): Target[] {
    const isOnWay = (target: Target) =>
      this.#walk(target).steps.some((step) => joinPath(step.directory, step.name) === path);
    return this.#resolutions.throughAny(path.slice(path.lastIndexOf("/") + 1)).filter(isOnWay);
  }

  #walk(target: Target): Walk {
    const fs = { statx, readlink };
    const { path, parent } = target;
    if (parent === undefined) return walk(fs, this.#root, path);
    const directory = this.#resolutions.get(parent)?.path;
    if (directory === undefined) return { steps: [], rest: [], end: undefined };
    return walk(fs, this.#root, path.slice(parent.path.length), directory);
  }

  /** undefined when something on the way vanished before it could be watched. */
  #watch(target: Target, found: Walk): Resolution | undefined {
    const nodes = new Set<NodeKey>();
    const entries = new Set<EntryKey>();
    const own = new Set<EntryKey>();
    const directories: NodeKey[] = [];
    for (const [i, { directory, directoryStat, name, isLast }] of found.steps.entries()) {
      const waitedFor = found.end === undefined && i === found.steps.length - 1;
      const key = this.#watchNode(directory, directoryStat, waitedFor);
      if (key === undefined) return this.#abandon(nodes);
      nodes.add(key);
      directories.push(key);
      entries.add(`${key}/${name}`);
      if (isLast) own.add(`${key}/${name}`);
    }
    for (const key of this.#scopes.need(target, found, directories)) this.#scopes.tell(key, this.targetsAt(key));
    const end = found.end && this.#watchNode(found.end.path, found.end.stat, true);
    if (found.end !== undefined && end === undefined) return this.#abandon(nodes);
    if (end !== undefined) nodes.add(end);
    const all = [...entries];
    const before = this.#resolutions.get(target);
    return {
      signature: hashOf(found),
      path: found.end?.path,
      entries: all,
      own: own.size === all.length ? all : [...own],
      end,
      // until the next look opens the file: in the layer it may be the same though the overlay calls it another
      layer: before?.path === found.end?.path ? before?.layer : undefined,
      link: found.link,
    };
  }

  /**
   * Forgets inodes that nobody needs any more, or that were watched for a walk that came to nothing.
   *
   * @param path where those are that are no directories
   */
  #abandon(nodes: Iterable<NodeKey>, path = ""): undefined {
    for (const key of nodes) {
      if (this.#resolutions.uses(key)) continue;
      this.#source.unwatch(key, this.#directories.get(key) ?? path);
      this.#directories.delete(key);
      this.#scopes.forget(key);
    }
  }

  /** @param inherit for a directory: what is born in it will be wanted */
  #watchNode(path: string, stat: Statx, inherit: boolean): NodeKey | undefined {
    const isDirectory = stat.type === "directory";
    const key = this.#source.watch({
      path,
      device: this.#superBlocks.deviceOf(stat),
      inode: stat.inode,
      as: isDirectory ? "directory" : "file",
      inherit: isDirectory && inherit,
    });
    if (key !== undefined && isDirectory) this.#directories.set(key, path);
    return key;
  }

  #replace(target: Target, next: Resolution | undefined): void {
    const before = this.#resolutions.get(target);
    if (next === undefined) this.#resolutions.delete(target);
    else this.#resolutions.set(target, next);
    if (next === undefined || next.path !== undefined) this.#vanished.delete(target);
    else if (before?.path !== undefined) this.#vanished.set(target, before.path);
    for (const end of new Set([before?.end, next?.end]))
      if (end !== undefined && this.#directories.has(end)) this.#scopes.tell(end, this.targetsAt(end));
    this.#abandon(nodesOf(before), before?.path);
  }
}

function readlink(path: string): string {
  return pathText(readlinkSync(pathBytes(path), { encoding: "buffer" }));
}
