/** stx_mask bits, <linux/stat.h>. */
export const STATX_BASIC_STATS = 0x7ff;
/** Linux 5.8, fa2fcf4f1df1 "statx: add mount ID". */
export const STATX_MNT_ID = 0x1000;

export type FileType =
  "file" | "directory" | "symlink" | "fifo" | "socket" | "block device" | "character device" | "unknown";

/** statx(2), what bpfink needs of it. */
export interface Statx {
  readonly type: FileType;
  /** Permission bits, 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes. */
  readonly size: bigint;
  readonly inode: bigint;
  /** st_dev. On btrfs and overlay this is not the device of the super block: see mountId. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The mount in /proc/self/mountinfo, whose major:minor is the super block's; undefined before Linux 5.8. */
  readonly mountId: bigint | undefined;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** chattr(1)'s attributes that are set; not there when none is. */
  readonly flags?: readonly string[];
}

/** STATX_ATTR_* that somebody sets, <linux/stat.h>. */
const FLAGS: readonly (readonly [bit: bigint, name: string])[] = [
  [0x4n, "compressed"],
  [0x10n, "immutable"],
  [0x20n, "append only"],
  [0x40n, "no dump"],
  [0x800n, "encrypted"],
  [0x100000n, "verity"],
  [0x200000n, "dax"],
];

/** S_IFMT values, inode(7). */
const fileTypes: Readonly<Record<number, FileType>> = {
  0o010000: "fifo",
  0o020000: "character device",
  0o040000: "directory",
  0o060000: "block device",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};

/** struct statx, <linux/stat.h>: offsets are the same on every architecture. */
export function decodeStatx(bytes: Uint8Array): Statx {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const u64 = (offset: number) => view.getBigUint64(offset, true);
  const time = (offset: number) => view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(u32(offset + 8));
  const mode = view.getUint16(0x1c, true);
  const flags = FLAGS.filter(([bit]) => (u64(0x8) & bit) !== 0n).map(([, name]) => name);
  return {
    type: fileTypes[mode & 0o170000] ?? "unknown",
    mode: mode & 0o7777,
    nlink: u32(0x10),
    uid: u32(0x14),
    gid: u32(0x18),
    inode: u64(0x20),
    size: u64(0x28),
    ctime: time(0x60),
    mtime: time(0x70),
    deviceMajor: u32(0x88),
    deviceMinor: u32(0x8c),
    ...(flags.length > 0 ? { flags } : {}),
    mountId: (u32(0) & STATX_MNT_ID) !== 0 ? u64(0x90) : undefined,
  };
}
