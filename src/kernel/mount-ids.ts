import { dlopen, ptr } from "bun:ffi";
import { unwrap } from "./libc.ts";

const { symbols } = dlopen("libc.so.6", {
  syscall: {
    args: [
      "i64" /* long number */,
      "ptr" /* const struct mnt_id_req *req */,
      "i64" /* 2nd to 4th argument: a pointer, its size or count, unsigned flags */,
      "i64",
      "i64",
    ],
    returns: "i64",
  },
});

/** <asm-generic/unistd.h>, Linux 6.8. */
const SYS_statmount = 457;
const SYS_listmount = 458;
/** <linux/mount.h> */
const MNT_ID_REQ_SIZE_VER0 = 24;
const LSMT_ROOT = 2n ** 64n - 1n;
const STATMOUNT_MNT_BASIC = 0x2n;
/** struct statmount without its strings, and where mnt_id_old is in it. */
const STATMOUNT_SIZE = 512;
const MNT_ID_OLD = 56;
const BATCH = 256;

/** struct mnt_id_req { u32 size; u32 spare; u64 mnt_id; u64 param; } */
function request(mount: bigint, parameter: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(MNT_ID_REQ_SIZE_VER0));
  view.setUint32(0, MNT_ID_REQ_SIZE_VER0, true);
  view.setBigUint64(8, mount, true);
  view.setBigUint64(16, parameter, true);
  return new Uint8Array(view.buffer);
}

/**
 * The number that /proc/self/mountinfo has for a mount with a unique id (statmount(2)). Throws SystemError: ENOENT
 * where there is no such mount any more, ENOSYS before Linux 6.8.
 */
export function mountinfoId(unique: bigint): number {
  const out = new Uint8Array(STATMOUNT_SIZE);
  const result = symbols.syscall(SYS_statmount, request(unique, STATMOUNT_MNT_BASIC), ptr(out), out.length, 0);
  unwrap("statmount", Number(result));
  return new DataView(out.buffer).getUint32(MNT_ID_OLD, true);
}

/** The unique ids of all mounts of our mount namespace (listmount(2)). Throws SystemError. */
export function uniqueMountIds(): bigint[] {
  const all: bigint[] = [];
  for (;;) {
    const ids = new BigUint64Array(BATCH);
    const result = symbols.syscall(SYS_listmount, request(LSMT_ROOT, all.at(-1) ?? 0n), ptr(ids), BATCH, 0);
    const count = unwrap("listmount", Number(result));
    all.push(...ids.subarray(0, count));
    if (count < BATCH) return all;
  }
}
