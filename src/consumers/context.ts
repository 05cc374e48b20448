import type { Separators } from "./parse/access.ts";
import { ACCESS_DIRECTORY, DEFAULT_ACCESS_FILE, type PamAccess, parsePamAccess } from "./parse/pam.ts";

/** What of the machine's configuration says how a file is read. */
export interface Context {
  /** pam_access(8)'s separators for a file that it is told to read; undefined for any other file. */
  separators(path: string): Separators | undefined;
  /** Whose SSH keys a file holds, if any. */
  owners?(path: string): readonly string[];
  /** PAM's configuration changed. */
  forget?(): void;
}

/** An answer is as good as new for this long, in milliseconds: every look asks. */
const FRESH = 1000;

/**
 * @param pamServices texts of pam.d(5), in order of their names: of those that name a file, the first counts
 * @param clock milliseconds
 */
export function contextOf(pamServices: () => readonly string[], clock: () => number): Context {
  let known: readonly PamAccess[] = [];
  let freshUntil = -Infinity;
  return {
    forget: () => void (freshUntil = -Infinity),
    separators(path) {
      if (clock() > freshUntil) {
        known = pamServices().flatMap(parsePamAccess);
        freshUntil = clock() + FRESH;
      }
      const file = ACCESS_DIRECTORY.test(path) ? DEFAULT_ACCESS_FILE : path;
      return known.find((one) => one.file === file)?.separators;
    },
  };
}
