import { truncateSync, writeFileSync } from "node:fs";
import { exec } from "./exec.ts";

/**
 * Writes the tree below `directory` to a new ext4 image, sparse, without mounting anything.
 * @param freeMiB room on top of what the tree takes
 */
export async function ext4Image(image: string, directory: string, freeMiB: number, label: string): Promise<void> {
  const used = Number.parseInt(await exec(["du", "--summarize", "--block-size=1M", directory]), 10);
  writeFileSync(image, "");
  truncateSync(image, Math.ceil(used * 1.1 + freeMiB + 16) * 1024 * 1024);
  // Everything is initialised now (the image is sparse): no ext4lazyinit thread writes in the guest while tests look on.
  const extended = "lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0";
  // Both features are newer than the oldest kernel's ext4 or fsck.
  const features = "^orphan_file,^metadata_csum_seed";
  await exec([
    "mke2fs",
    "-q",
    "-F",
    "-t",
    "ext4",
    "-L",
    label,
    "-m",
    "0",
    "-E",
    extended,
    "-O",
    features,
    "-d",
    directory,
    image,
  ]);
}
