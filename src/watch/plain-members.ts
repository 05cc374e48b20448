import type { NodeKey } from "../event.ts";
import { MultiMap } from "../multimap.ts";
import { NONE, PackedKeys } from "../packed-keys.ts";
import { joinPath, parentPath } from "../paths.ts";
import type { Resolution } from "./resolutions.ts";
import type { Target } from "./target.ts";

/** A watched directory with plain members, under one of the paths that lead to it. */
class Directory {
  readonly key: NodeKey;
  readonly path: string;
  /** The targets that they are members of, and how many each has here. */
  readonly parents = new Map<Target, number>();

  constructor(key: NodeKey, path: string) {
    this.key = key;
    this.path = path;
  }
}

/**
 * Resolutions of members of watched directories that lead to an inode of their own: no symbolic links, no
 * layers. Nearly all targets are such, where there are many. Such a one depends on its name in the directory,
 * and on that inode: so a slot in four columns is kept of it, and its Resolution made when it is asked for.
 * A member is found by the name that its parent has it under.
 */
export class PlainMembers {
  readonly #directories = new MultiMap<NodeKey, Directory>();
  /** Where each leads. */
  readonly #ends = new PackedKeys();
  readonly #targets: (Target | undefined)[] = [];
  readonly #places: (Directory | undefined)[] = [];
  readonly #signatures: number[] = [];

  has(target: Target): boolean {
    return this.#targets[target.slot] === target;
  }

  get(target: Target): Resolution | undefined {
    const { slot, name } = target;
    const place = this.#placeOf(target);
    if (place === undefined) return undefined;
    const entries = [`${place.key}/${name}`] as const;
    return {
      signature: this.#signatures[slot]!,
      path: joinPath(place.path, name),
      entries,
      own: entries,
      end: this.#ends.keyOf(slot),
      layer: undefined,
      link: undefined,
    };
  }

  /** Takes what is plain and not there yet; returns whether it did. */
  add(target: Target, { signature, path, entries, own, end, layer, link }: Resolution): boolean {
    const { parent, name } = target;
    const [entry] = entries;
    if (parent === undefined || path === undefined || end === undefined || entry === undefined) return false;
    if (entries.length > 1 || own.length !== 1 || own[0] !== entry || layer !== undefined || link !== undefined)
      return false;
    const key = entry.slice(0, -name.length - 1) as NodeKey;
    const directory = parentPath(path);
    if (entry !== `${key}/${name}` || key.includes("/") || path !== joinPath(directory, name)) return false;
    const place = this.#directory(key, directory);
    place.parents.set(parent, (place.parents.get(parent) ?? 0) + 1);
    const slot = this.#ends.add(end);
    this.#targets[slot] = target;
    this.#places[slot] = place;
    this.#signatures[slot] = signature;
    target.slot = slot;
    return true;
  }

  delete(target: Target): void {
    const { slot, parent } = target;
    const place = this.#placeOf(target);
    if (place === undefined || parent === undefined) return;
    const left = place.parents.get(parent)! - 1;
    if (left > 0) place.parents.set(parent, left);
    else place.parents.delete(parent);
    if (place.parents.size === 0) this.#directories.delete(place.key, place);
    this.#targets[slot] = this.#places[slot] = undefined;
    this.#ends.delete(slot);
  }

  /** Whether something leads to the inode, or has its name in it. */
  uses(key: NodeKey): boolean {
    return this.#directories.has(key) || this.#ends.find(key) !== NONE;
  }

  /** Those that lead to an inode. */
  endingAt(key: NodeKey): Target[] {
    const found: Target[] = [];
    for (let slot = this.#ends.find(key); slot !== NONE; slot = this.#ends.find(key, slot))
      found.push(this.#targets[slot]!);
    return found;
  }

  /** Those that have this name in a directory. */
  at(directory: NodeKey, name: string): Target[] {
    return this.#directories.get(directory).flatMap((place) =>
      [...place.parents.keys()].flatMap((parent) => {
        const member = parent.members?.get(name);
        return member !== undefined && this.#placeOf(member) === place ? [member] : [];
      }),
    );
  }

  /** Those that have their name in a directory. Takes as long as their parents have members. */
  in(directory: NodeKey): Target[] {
    return this.#directories.get(directory).flatMap((place) => {
      const members = [...place.parents.keys()].flatMap((parent) => [...(parent.members?.values() ?? [])]);
      return members.filter((member) => this.#placeOf(member) === place);
    });
  }

  /** Those of a name, wherever they are. Takes as long as there are members. */
  named(name: string): Target[] {
    return this.#targets.flatMap((target) => (target?.name === name ? [target] : []));
  }

  #placeOf(target: Target): Directory | undefined {
    return this.has(target) ? this.#places[target.slot] : undefined;
  }

  #directory(key: NodeKey, path: string): Directory {
    const known = this.#directories.get(key).find((directory) => directory.path === path);
    if (known !== undefined) return known;
    const directory = new Directory(key, path);
    this.#directories.add(key, directory);
    return directory;
  }
}
