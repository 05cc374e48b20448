import type { NodeKey } from "../event.ts";
import { MultiMap } from "../multimap.ts";
import { PlainMembers } from "./plain-members.ts";
import type { Target } from "./target.ts";
import type { Link } from "./walk.ts";

/** A name in a watched directory. */
export type EntryKey = `${NodeKey}/${string}`;

/** What a target depends on at present. */
export interface Resolution {
  /** Hash of the signature of the walk that led here. */
  readonly signature: number;
  /** Where it ended. */
  readonly path: string | undefined;
  /** Every name on its way, in directories that are watched for it. */
  readonly entries: readonly EntryKey[];
  /** Of these, the target's own name, and the last one that it leads to as a symbolic link. */
  readonly own: readonly EntryKey[];
  /** The file itself, which is watched, too. */
  readonly end: NodeKey | undefined;
  /** Where the end is a file on overlayfs, and was opened: that file in the layer. */
  readonly layer: NodeKey | undefined;
  readonly link: Link | undefined;
}

export const directoryOf = (entry: EntryKey): NodeKey => entry.slice(0, entry.indexOf("/")) as NodeKey;

/** The resolution of every target, and which targets depend on an inode or a name. */
export class Resolutions {
  readonly #members = new PlainMembers();
  /** All but the plain members. */
  readonly #others = new Map<Target, Resolution>();
  readonly #byDirectory = new MultiMap<NodeKey, Target>();
  readonly #byEntry = new MultiMap<EntryKey, Target>();
  readonly #byEnd = new MultiMap<NodeKey, Target>();
  readonly #byLayer = new MultiMap<NodeKey, Target>();

  get(target: Target): Resolution | undefined {
    return this.#others.get(target) ?? this.#members.get(target);
  }

  set(target: Target, next: Resolution): void {
    this.delete(target);
    if (this.#members.add(target, next)) return;
    this.#others.set(target, next);
    for (const entry of next.entries) {
      this.#byEntry.add(entry, target);
      this.#byDirectory.add(directoryOf(entry), target);
    }
    if (next.end !== undefined) this.#byEnd.add(next.end, target);
    if (next.layer !== undefined) this.#byLayer.add(next.layer, target);
  }

  delete(target: Target): void {
    this.#members.delete(target);
    const before = this.#others.get(target);
    if (before === undefined) return;
    this.#others.delete(target);
    for (const entry of before.entries) {
      this.#byEntry.delete(entry, target);
      this.#byDirectory.delete(directoryOf(entry), target);
    }
    if (before.end !== undefined) this.#byEnd.delete(before.end, target);
    if (before.layer !== undefined) this.#byLayer.delete(before.layer, target);
  }

  /** Whether a target depends on an inode. */
  uses(key: NodeKey): boolean {
    return this.#byDirectory.has(key) || this.#byEnd.has(key) || this.#byLayer.has(key) || this.#members.uses(key);
  }

  /** The targets that depend on an inode. */
  usersOf(key: NodeKey): Set<Target> {
    const inDirectory = [...this.#byDirectory.get(key), ...this.#members.in(key)];
    return new Set([...inDirectory, ...this.endingAt(key), ...this.layeredOn(key)]);
  }

  /** Those that lead to an inode. */
  endingAt(key: NodeKey): Target[] {
    return [...this.#byEnd.get(key), ...this.#members.endingAt(key)];
  }

  /** Those whose file lies in a layer as this one. */
  layeredOn(key: NodeKey): readonly Target[] {
    return this.#byLayer.get(key);
  }

  /** Those with a name on their way. */
  through(directory: NodeKey, name: string): Target[] {
    return [...this.#byEntry.get(`${directory}/${name}`), ...this.#members.at(directory, name)];
  }

  /** Those with such a name on their way, in whatever directory. Takes as long as there are targets. */
  throughAny(name: string): Target[] {
    const hasName = (entry: EntryKey) => entry.endsWith(`/${name}`);
    const others = [...this.#others].filter(([, { entries }]) => entries.some(hasName)).map(([target]) => target);
    return [...others, ...this.#members.named(name)];
  }
}
