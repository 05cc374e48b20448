import { joinPath, parentPath } from "../paths.ts";
import { Members, Target } from "./target.ts";

/** Everything that is watched: what the user asked for, and below that the members of directories. */
export class Tree {
  readonly #roots = new Map<string, Target>();

  /** @param paths what the user asked for; one may lie below another, and is no member of it then */
  constructor(paths: readonly string[]) {
    for (const path of paths) this.#roots.set(path, new Target(path, undefined));
  }

  get roots(): readonly Target[] {
    return [...this.#roots.values()];
  }

  /** Everything, a directory before its members: those that it has when it is its turn. */
  *[Symbol.iterator](): Generator<Target> {
    for (const root of this.roots) yield* withMembers(root);
  }

  find(path: string): Target | undefined {
    const root = this.#roots.get(path);
    if (root !== undefined || path === "/") return root;
    const parent = parentPath(path);
    return this.find(parent)?.members?.get(path.slice(parent === "/" ? 1 : parent.length + 1));
  }

  member(parent: Target, name: string): Target | undefined {
    return parent.members?.get(name) ?? this.#roots.get(joinPath(parent.path, name));
  }

  /** What is asked for from now on; if it is watched already, it stays what it is. */
  addRoot(path: string): Target {
    const known = this.find(path);
    if (known !== undefined) return known;
    const root = new Target(path, undefined);
    this.#roots.set(path, root);
    return root;
  }

  /** @param name of an entry in the directory, or a path below it that is not there any more */
  add(parent: Target, name: string): Target {
    const member = new Target(name, parent);
    parent.members ??= new Members();
    parent.members.set(name, member);
    return member;
  }

  /** Whether it has not been removed. */
  has(target: Target): boolean {
    const { parent, name } = target;
    return parent === undefined ? this.#roots.get(name) === target : parent.members?.get(name) === target;
  }

  /** Removes everything, what the user asked for too. */
  clear(): void {
    for (const target of [...this]) target.members = undefined;
    this.#roots.clear();
  }

  remove({ parent, name }: Target): void {
    if (parent === undefined) this.#roots.delete(name);
    parent?.members?.delete(name);
    if (parent?.members?.size === 0) parent.members = undefined;
  }
}

function* withMembers(target: Target): Generator<Target> {
  yield target;
  for (const member of [...(target.members?.values() ?? [])]) yield* withMembers(member);
}
