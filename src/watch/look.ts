import { constants, openSync } from "node:fs";
import type { Look } from "../consumers/consumer.ts";
import { statx } from "../kernel/libc.ts";
import { pathBytes } from "../paths.ts";
import type { Link } from "./walk.ts";
import { metadataOf, Reading } from "./reading.ts";

/** O_NONBLOCK: a FIFO put there between stat and open must not hold us. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

/**
 * What is at a path now.
 *
 * @param path free of symbolic links; one put there meanwhile is not followed and reads as missing,
 * for its own event brings the next look
 * @param contentLimit bytes of content that are kept; what is longer is hashed only
 * @throws what open(2) and read(2) throw, but for a file that is gone (ENOENT, ENOTDIR, ELOOP)
 */
export function lookAt(path: string, contentLimit: number): Look {
  const found = beginLook(path, contentLimit);
  if (!(found instanceof Reading)) return found;
  using reading = found;
  return reading.read(Infinity)!;
}

/** The same, but a file is not read yet: the caller does, and closes it. */
export function beginLook(path: string, contentLimit: number): Exclude<Look, { type: "file" }> | Reading {
  const stat = statx(path);
  if (stat === undefined || stat.type === "symlink" || stat.type === "unknown") return { type: "missing" };
  if (stat.type !== "file") return { type: stat.type, ...metadataOf(stat, path) };
  let fd: number;
  try {
    fd = openSync(pathBytes(path), OPEN_FLAGS);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return { type: "missing" };
    throw error;
  }
  return Reading.of(fd, contentLimit) ?? { type: "missing" };
}

/** What a path is that leads nowhere: a symbolic link, or nothing. */
export function lookAtLink(link: Link | undefined): Look {
  return link === undefined ? { type: "missing" } : { type: "symlink", ...metadataOf(link.stat, link.path) };
}
