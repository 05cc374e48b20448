import { lstatSync, mkdirSync, realpathSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./cleanup.ts";
import { exec } from "./exec.ts";
import { ext4Image } from "./ext4.ts";

/** Room on the disk for what the guest changes below the paths that were brought in. */
const freeMiB = 64;

/** A disk with files for the guest, and the list from which guest/init.sh puts each where it belongs. */
export interface FilesDisk {
  image: string;
  /** Lines `NUMBER d|f GUEST-PATH`. */
  list: string;
}

/** Lives until the process ends: the VMs of one harness mostly bring in the same files. */
let home: string | undefined;
const made = new Map<string, Promise<FilesDisk>>();

/**
 * Makes an ext4 image with files and directories (guest path → host path), once for the same ones unchanged.
 * @throws Error when a host path does not exist
 */
export function filesDisk(files: Record<string, string>): Promise<FilesDisk> {
  const sources = Object.entries(files).map(([guest, host]) => ({ guest, host: realpathSync(host) }));
  const key = JSON.stringify(sources.map(({ guest, host }) => [guest, ...fingerprint(host)]));
  const disk = made.get(key) ?? make(sources, made.size);
  made.set(key, disk);
  disk.catch(() => made.delete(key));
  return disk;
}

async function make(sources: { guest: string; host: string }[], index: number): Promise<FilesDisk> {
  home ??= temporaryDirectory().path;
  const tree = join(home, `tree-${index}`);
  const image = join(home, `files-${index}.ext4`);
  mkdirSync(tree, { recursive: true });
  const lines: string[] = [];
  for (const [number, { guest, host }] of sources.entries()) {
    await exec(["cp", "--archive", "--reflink=auto", host, join(tree, `${number}`)]);
    lines.push(`${number} ${statSync(host).isDirectory() ? "d" : "f"} ${guest}\n`);
  }
  await ext4Image(`${image}.new`, tree, freeMiB, "files");
  await exec(["rm", "--recursive", tree]);
  renameSync(`${image}.new`, image);
  return { image, list: lines.join("") };
}

/** What changes when something at or below the path does. */
function fingerprint(path: string): (string | number)[] {
  const stat = lstatSync(path);
  const own = [path, stat.ino, stat.mode, stat.size, stat.mtimeMs];
  if (!stat.isDirectory()) return own;
  const below = [...new Bun.Glob("**").scanSync({ cwd: path, dot: true, onlyFiles: false })].sort();
  return [
    ...own,
    ...below.flatMap((name) => {
      const child = lstatSync(join(path, name));
      return [name, child.ino, child.mode, child.size, child.mtimeMs];
    }),
  ];
}
