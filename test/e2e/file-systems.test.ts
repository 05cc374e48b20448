// Inodes are found on every file system: where st_dev is not the super block's device (btrfs, overlay), too.
// Needs empty disks, which the virtual machines have and this machine has not.
import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { CAN_LOSE, inVm, run, SLOW } from "./process.ts";

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

  test.skipIf(CAN_LOSE)(
    "many files on overlay: who writes to the layer of one is known for each",
    async () => {
      using directory = new TemporaryDirectory();
      const places = ["lower", "upper", "work"].map((name) => `${name}dir=${directory.directory(name)}`);
      const names = Array.from({ length: 100 }, (_, n) => `f${n}`);
      // so long that bpfink collects its garbage while it reads
      for (const name of names) directory.write(`upper/${name}`, `${"x".repeat(30_000)}\n`);
      await run("mount", "-t", "overlay", "-o", places.join(), "overlay", directory.directory("overlay"));
      try {
        const watch = names.map((name) => directory.at(`overlay/${name}`));
        await using bp = await Bpfink.start({ watch });
        for (const name of names) appendFileSync(directory.at(`upper/${name}`), "two\n");
        const lines = await bp.rest();
        expect(lines.map(({ file }) => file).sort()).toEqual(watch.sort());
        expect(lines.filter(({ process: by }) => by?.pid !== process.pid)).toEqual([]);
      } finally {
        await run("umount", directory.at("overlay"));
      }
    },
    SLOW,
  );
};

if (inVm) describe("file systems", suite);
