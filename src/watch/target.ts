/** One path that is watched: asked for by the user, or a member of a directory that is. */
export interface Target {
  /** As the user sees it: absolute, normalised, below --root. Also its name in the database. */
  readonly path: string;
  /** The directory that it is a member of; undefined for what the user asked for. */
  readonly parent: Target | undefined;
}
