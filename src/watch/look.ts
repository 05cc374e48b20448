import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { FileLook, Look, Metadata } from "../consumers/consumer.ts";
import { type Statx, statx } from "../kernel/libc.ts";
import { pathBytes } from "../paths.ts";

/** How much is read at a time, in bytes. */
const CHUNK = 1 << 18;

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
  const stat = statx(path);
  if (stat === undefined || stat.type === "symlink" || stat.type === "unknown") return { type: "missing" };
  if (stat.type !== "file") return { type: stat.type, ...metadataOf(stat) };
  let fd: number;
  try {
    fd = openSync(pathBytes(path), OPEN_FLAGS);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return { type: "missing" };
    throw error;
  }
  try {
    return fstatSync(fd).isFile() ? readFile(fd, contentLimit) : { type: "missing" };
  } finally {
    closeSync(fd);
  }
}

function readFile(fd: number, contentLimit: number): FileLook {
  const hash = new Bun.CryptoHasher("sha256");
  const chunk = new Uint8Array(CHUNK);
  let kept: Uint8Array[] | undefined = [];
  let size = 0;
  for (;;) {
    const length = readSync(fd, chunk, 0, CHUNK, null);
    if (length === 0) break;
    const bytes = chunk.subarray(0, length);
    hash.update(bytes);
    size += length;
    if (size > contentLimit) kept = undefined;
    kept?.push(bytes.slice());
  }
  return {
    type: "file",
    ...metadataOf(statx(fd)),
    size, // what was read, which is what the digest is of
    digest: hash.digest("hex"),
    content: kept === undefined ? undefined : Buffer.concat(kept),
  };
}

function metadataOf(stat: Statx): Metadata {
  const { mode, uid, gid, inode, size } = stat;
  return { mode, uid, gid, inode: String(inode), size: Number(size) };
}
