// Inodes are found on every file system: where st_dev is not the super block's device (btrfs, overlay), too.
// Needs empty disks, which the virtual machines have and this machine has not.
import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, run, SLOW } from "./process.ts";

/** Devices of the disks, separated by spaces (test/vm/suite.ts). */
const disks = process.env["BPFINK_SCRATCH"]?.split(" ") ?? [];

const suite = () => {
  test(
    "btrfs in a subvolume, xfs, tmpfs, and overlay with a file to be copied up",
    async () => {
      using directory = new TemporaryDirectory();
      const [btrfs, xfs, tmpfs, overlay] = ["btrfs", "xfs", "tmpfs", "overlay"].map((name) =>
        directory.directory(name),
      );
      const [first, second] = disks;
      if (!btrfs || !xfs || !tmpfs || !overlay || !first || !second) throw new Error(`two disks, not ${disks}`);
      const mounted: string[] = [];
      const mount = async (path: string, ...args: string[]) => {
        await run("mount", ...args, path);
        mounted.unshift(path);
      };
      try {
        await run("mkfs.btrfs", "-q", "-f", first);
        await run("mkfs.xfs", "-q", "-f", second);
        await mount(btrfs, first);
        await mount(xfs, second);
        await mount(tmpfs, "-t", "tmpfs", "tmpfs");
        await run("btrfs", "subvolume", "create", `${btrfs}/sub`);
        for (const name of ["upper", "work"]) mkdirSync(`${xfs}/${name}`);
        const lower = directory.write("lower/f", "one\n").slice(0, -"/f".length);
        await mount(overlay, "-t", "overlay", "-o", `lowerdir=${lower},upperdir=${xfs}/upper,workdir=${xfs}/work`, "o");
        const files = [`${btrfs}/sub/f`, `${xfs}/f`, `${tmpfs}/f`, `${overlay}/f`];
        for (const file of files.slice(0, 3)) writeFileSync(file, "one\n");

        await using bp = await Bpfink.start({ watch: files });
        for (const file of files) {
          appendFileSync(file, "two\n");
          const live = { action: "modified", origin: "live", consumer: "diff" };
          expect(await bp.only(file)).toMatchObject({
            ...live,
            add: { Content: ["two"] },
            process: { pid: process.pid },
          });
          const { pid } = await run("sed", "-i", "s/one/three/", file);
          const saved = { add: { Content: ["three"] }, del: { Content: ["one"] }, process: { pid } };
          expect(await bp.only(file)).toMatchObject({ ...live, ...saved });
        }
      } finally {
        for (const path of mounted) await run("umount", path);
      }
    },
    SLOW,
  );
};

if (inVm) describe("file systems", suite);
