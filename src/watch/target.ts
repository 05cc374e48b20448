import { joinPath } from "../paths.ts";

/** The members of a directory, by their names. */
export class Members extends Map<string, Target> {
  /** The directory's, when they were last read. */
  inode: string | undefined;
}

/** One path that is watched: asked for by the user, or a member of a directory that is. A further field would cost 16 bytes. */
export class Target {
  /** The directory that it is a member of; undefined for what the user asked for. */
  readonly parent: Target | undefined;
  /** Of what has no parent: the whole path. */
  readonly name: string;
  members: Members | undefined;
  /** Where PlainMembers has it; means nothing to anybody else. */
  slot = 0;

  constructor(name: string, parent: Target | undefined) {
    this.name = name;
    this.parent = parent;
  }

  /**
   * As the user sees it: absolute, normalised, below --root. Also its name in the database. Made when
   * it is asked for, as there may be 100,000.
   */
  get path(): string {
    return this.parent === undefined ? this.name : joinPath(this.parent.path, this.name);
  }
}
