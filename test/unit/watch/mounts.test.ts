import { expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Statx, statx } from "../../../src/kernel/libc.ts";
import { SuperBlocks, parseMountinfo } from "../../../src/watch/mounts.ts";

const real = readFileSync("/proc/self/mountinfo", "utf8");
const rootStat = statx("/")!;

test("mountinfo gives the device of every mount", () => {
  const text = [
    "28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
    "36 28 0:31 /sub\\040vol /mnt/a\\040b rw shared:2 master:3 - btrfs /dev/sdb rw,subvol=/x",
    "40 28 4095:1048575 / /big rw - xfs /dev/x rw",
    "",
  ].join("\n");
  expect(parseMountinfo(text)).toEqual(
    new Map([
      [28n, (254 << 20) | 1],
      [36n, 31],
      [40n, 0xffff_ffff],
    ]),
  );
});

test("lines that cannot be read are left out", () => {
  expect(parseMountinfo("x\n28 1 8:1\n1 2 3 4 5\n-1 1 8:1 / /\n7 1 8:2 / / rw - ext4 x rw")).toEqual(
    new Map([[7n, (8 << 20) | 2]]),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseMountinfo(text)));
});

test("this host's mounts are all read", () => {
  const lines = real.trimEnd().split("\n");
  expect([...parseMountinfo(real).keys()]).toEqual(lines.map((line) => BigInt(line.split(" ")[0]!)));
});

test("the device of a file is its mount's in mountinfo", () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-mounts-"));
  const blocks = new SuperBlocks();
  for (const path of ["/", directory, "/proc", "/dev", "/sys"]) {
    const stat = statx(path)!;
    const [, major, minor] = new RegExp(`^${stat.mountId} \\d+ (\\d+):(\\d+) `, "m").exec(real) ?? [];
    expect([path, blocks.deviceOf(stat)]).toEqual([path, Number(major) * 2 ** 20 + Number(minor)]);
  }
  rmdirSync(directory);
});

const btrfs: Statx = { ...rootStat, deviceMajor: 0, deviceMinor: 52, mountId: 36n };

test("a subvolume has the device of its super block, not its own", () => {
  expect(new SuperBlocks(() => "36 28 0:31 / /mnt rw - btrfs /dev/sdb rw").deviceOf(btrfs)).toBe(31);
});

test("without the mount, or its number, st_dev has to do", () => {
  expect(new SuperBlocks(() => "").deviceOf(btrfs)).toBe(52);
  const unread = () => {
    throw new Error("mountinfo is not needed");
  };
  expect(new SuperBlocks(unread).deviceOf({ ...btrfs, deviceMajor: 259, mountId: undefined })).toBe((259 << 20) | 52);
});

test("mountinfo is read once per mount, and anew when a mount's number has another device", () => {
  const texts = ["36 28 0:31 / /mnt rw - btrfs x rw", "36 28 8:17 / /mnt rw - ext4 x rw"];
  const blocks = new SuperBlocks(() => texts.shift()!);
  const ext4: Statx = { ...btrfs, deviceMajor: 8, deviceMinor: 17 };
  expect([btrfs, btrfs, ext4, ext4, btrfs].map((stat) => blocks.deviceOf(stat))).toEqual([
    31,
    31,
    (8 << 20) | 17,
    (8 << 20) | 17,
    31,
  ]);
  expect(texts).toEqual([]);
});
