import { closeSync, readSync } from "node:fs";
import type { FileLook, Metadata } from "../consumers/consumer.ts";
import { type Statx, statx } from "../kernel/libc.ts";
import { xattrs } from "../kernel/xattr.ts";

/** How much is read at a time, in bytes: a third of a millisecond of hashing. */
const CHUNK = 1 << 18;

/** Whatever the number of files that are being read, what is read lies here. */
const chunk = new Uint8Array(CHUNK);

/** One file that is read from its beginning to its end, in as many steps as the caller likes. */
export class Reading implements Disposable {
  readonly #fd: number;
  readonly #contentLimit: number;
  readonly #hash = new Bun.CryptoHasher("sha256");
  #kept: Uint8Array[] | undefined = [];
  #size = 0;
  readonly #begun: Statx;
  #isOpen = true;

  /** Whether the file changed since it was opened: what was read may be half of each version. */
  get isTorn(): boolean {
    const { mtime, ctime, size } = statx(this.#fd);
    return mtime !== this.#begun.mtime || ctime !== this.#begun.ctime || size !== this.#begun.size;
  }

  /** What is known of the file without its content, as it was opened. */
  get unread(): FileLook {
    return { type: "file", ...metadataOf(this.#begun, this.#fd), digest: "", content: undefined };
  }

  /** Takes an open file over. undefined, and closed, when it is no regular file. */
  static of(fd: number, contentLimit: number): Reading | undefined {
    try {
      const stat = statx(fd);
      if (stat.type === "file") return new Reading(fd, contentLimit, stat);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  private constructor(fd: number, contentLimit: number, begun: Statx) {
    this.#fd = fd;
    this.#begun = begun;
    this.#contentLimit = contentLimit;
  }

  /** Reads on, `most` bytes or a little more. The look, when that was the rest. */
  read(most: number): FileLook | undefined {
    for (let left = most; left > 0;) {
      const length = readSync(this.#fd, chunk, 0, CHUNK, null);
      if (length === 0) return this.#look();
      const bytes = chunk.subarray(0, length);
      this.#hash.update(bytes);
      this.#size += length;
      left -= length;
      if (this.#size > this.#contentLimit) this.#kept = undefined;
      this.#kept?.push(bytes.slice());
    }
    return undefined;
  }

  #look(): FileLook {
    return {
      type: "file",
      ...metadataOf(statx(this.#fd), this.#fd),
      size: this.#size, // what was read, which is what the digest is of
      digest: this.#hash.digest("hex"),
      content: this.#kept && Buffer.concat(this.#kept),
    };
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}

/** @param at where its extended attributes are read: a path or an open file */
export function metadataOf(stat: Statx, at: string | number): Metadata {
  const { mode, uid, gid, inode, size, flags } = stat;
  const attributes = xattrs(at);
  return {
    mode,
    uid,
    gid,
    inode: String(inode),
    size: Number(size),
    ...(flags === undefined ? {} : { flags }),
    ...(attributes.size > 0 ? { xattrs: attributes } : {}),
  };
}
