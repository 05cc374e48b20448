import { readFileSync } from "node:fs";
import type { Statx } from "../kernel/libc.ts";

/**
 * Devices of super blocks. st_dev is not always the one that the kernel's inode carries (btrfs
 * gives each subvolume its own, overlayfs may pass on a lower one); the major:minor of the file's
 * mount in /proc/self/mountinfo is (proc_pid_mountinfo(5), field 3).
 */
export class SuperBlocks {
  /** By mount id and st_dev: mount ids are used again after an umount, but not with the same device. */
  readonly #devices = new Map<string, number>();
  readonly #readMountinfo: () => string;

  constructor(readMountinfo = () => readFileSync("/proc/self/mountinfo", "utf8")) {
    this.#readMountinfo = readMountinfo;
  }

  /** s_dev as the kernel has it, major << 20 | minor; st_dev where the mount is not known. */
  deviceOf(stat: Statx): number {
    const own = encodeDevice(stat.deviceMajor, stat.deviceMinor);
    if (stat.mountId === undefined) return own;
    const key = `${stat.mountId} ${own}`;
    let device = this.#devices.get(key);
    if (device === undefined) {
      device = parseMountinfo(this.#readMountinfo()).get(stat.mountId) ?? own;
      this.#devices.set(key, device);
    }
    return device;
  }
}

/** Mount id to s_dev. Lines that cannot be read are left out. */
export function parseMountinfo(text: string): Map<bigint, number> {
  const devices = new Map<bigint, number>();
  for (const line of text.split("\n")) {
    const fields = /^(\d+) \d+ (\d+):(\d+) /.exec(line);
    if (fields !== null) devices.set(BigInt(fields[1]!), encodeDevice(Number(fields[2]), Number(fields[3])));
  }
  return devices;
}

/** The kernel's own dev_t (linux/kdev_t.h: MINORBITS 20), which is not the one of stat(2). */
function encodeDevice(major: number, minor: number): number {
  return ((major << 20) | minor) >>> 0;
}
