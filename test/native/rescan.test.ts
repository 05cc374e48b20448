// What no hook tells of is found by the look at everything that is taken now and then.
import { expect, test } from "bun:test";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { end, run, SLOW } from "../e2e/process.ts";

test(
  "a raw write to the block device below a file system is found, once, and nobody is named",
  async () => {
    using directory = new TemporaryDirectory();
    const image = directory.at("image");
    const point = directory.directory("mounted");
    await run("truncate", "-s", "8M", image);
    await run("mkfs.ext4", "-q", "-F", "-b", "4096", image);
    const mounted = await end(["mount", "-o", "loop", image, point]);
    if (mounted.status !== 0) throw new Error(mounted.stderr);
    try {
      const file = `${point}/file`;
      writeFileSync(file, "A".repeat(4096));
      await run("sync", "-f", file);
      const extents = (await run("filefrag", "-b4096", "-v", file)).stdout;
      const start = Number(/\n +0: +0\.\. +\d+: +(\d+)\.\./.exec(extents)?.[1]);
      const device = (await run("findmnt", "-n", "-o", "SOURCE", point)).stdout.trim();
      await using bp = await Bpfink.start({ watch: [file], args: ["--rescan", "1s"] });
      const fd = openSync(device, "r+");
      writeSync(fd, "B", start * 4096);
      closeSync(fd);
      await run("sync");
      writeFileSync("/proc/sys/vm/drop_caches", "1"); // or the old content would be read
      const line = await bp.nextChange(file);
      expect(line).toMatchObject({ action: "modified", origin: "rescan" });
      expect(line).not.toHaveProperty("process");
      await bp.noMoreLines();
    } finally {
      await run("umount", point);
    }
  },
  SLOW,
);
