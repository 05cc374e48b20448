import { hasCode } from "../kernel/errno.ts";
import type { Statx } from "../kernel/libc.ts";
import { joinPath, parentPath } from "../paths.ts";

/** The file system as the walk needs it. */
export interface WalkFs {
  /** As lstat(2); undefined when nothing is there. */
  statx(path: string): Statx | undefined;
  /** Throws if the path is no symbolic link any more. */
  readlink(path: string): string;
}

/** A name that was looked up, in a directory that was reached: what the answer depends on. */
export interface Step {
  /** Free of symbolic links. */
  readonly directory: string;
  readonly directoryStat: Statx;
  readonly name: string;
  /** Whether it is the last name of the path, or of the symbolic link that is its last name. */
  readonly isLast: boolean;
}

export interface Walk {
  readonly steps: readonly Step[];
  /** Names behind the last step, of what leads nowhere: those that are not known to be anywhere. */
  readonly rest: readonly string[];
  /** Where the path leads, free of symbolic links; undefined when it leads nowhere now. */
  readonly end: { readonly path: string; readonly stat: Statx } | undefined;
  /** The symbolic link that is the path's last name, and the links that it leads to as last names. */
  readonly link?: Link;
}

export interface Link {
  /** The last of the links, free of symbolic links but itself. */
  readonly path: string;
  readonly stat: Statx;
  /** What each says, the first one first. */
  readonly texts: readonly string[];
}

/** path_resolution(7): more symbolic links than this in one path are a loop. */
const MAX_SYMLINKS = 40;

/**
 * Resolves a path the way the kernel does, and remembers every name on the way, those inside of
 * symbolic links included: the path leads elsewhere only after one of these entries changed.
 *
 * @param path seen from `from`, whether it begins with a slash or not
 * @param root what `/` means, in symbolic links; free of symbolic links itself
 * @param from where the walk begins; free of symbolic links, too
 */
export function walk(fs: WalkFs, root: string, path: string, from = root): Walk {
  const steps: Step[] = [];
  const pending = components(path);
  let symlinks = 0;
  let current = from;
  let stat = fs.statx(from);
  let link: Link | undefined;
  const result = (end: Walk["end"]): Walk => ({ steps, rest: pending, end, ...(link === undefined ? {} : { link }) });
  while (stat !== undefined && pending.length > 0) {
    if (stat.type !== "directory") return result(undefined);
    const name = pending.shift()!;
    if (name === ".") continue;
    if (name === "..") {
      current = current === root ? root : parentPath(current);
      stat = fs.statx(current);
      continue;
    }
    const isLast = pending.every((next) => next === ".");
    steps.push({ directory: current, directoryStat: stat, name, isLast });
    const next = joinPath(current, name);
    const nextStat = lookUp(fs, next);
    if (nextStat?.type !== "symlink") {
      current = next;
      stat = nextStat;
      continue;
    }
    if (++symlinks > MAX_SYMLINKS) return result(undefined);
    const target = readlink(fs, next);
    if (target === undefined) return { steps, rest: pending, end: undefined };
    if (isLast) link = { path: next, stat: nextStat, texts: [...(link?.texts ?? []), target] };
    pending.unshift(...components(target));
    if (target.startsWith("/")) {
      current = root;
      stat = fs.statx(root);
    }
  }
  return result(stat === undefined ? undefined : { path: current, stat });
}

/** What a walk met, as text: the same for two walks that met the same inodes under the same names. */
export function signatureOf({ steps, end, link }: Walk): string {
  const names = steps.map(({ directory, directoryStat, name }) => `${identity(directoryStat)} ${directory}/${name}`);
  return [...names, end === undefined ? "" : `${identity(end.stat)} ${end.path}`, ...(link?.texts ?? [])].join("\0");
}

const identity = ({ type, inode, mountId }: Statx): string => `${type} ${inode} ${mountId}`;

/** A name that is too long is there no more than one that is missing. */
function lookUp(fs: WalkFs, path: string): Statx | undefined {
  try {
    return fs.statx(path);
  } catch (error) {
    if (hasCode(error, "ENAMETOOLONG", "ELOOP")) return undefined;
    throw error;
  }
}

function readlink(fs: WalkFs, path: string): string | undefined {
  try {
    return fs.readlink(path);
  } catch {
    return undefined; // replaced between the two calls: the entry's event brings the next walk
  }
}

/** A slash at the end asks for a directory, as a dot does. */
function components(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return path.endsWith("/") ? [...names, "."] : names;
}
