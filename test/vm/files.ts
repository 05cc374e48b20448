import { lstatSync, mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
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

/** The VMs of one harness mostly bring in the same files: each disk lives as long as somebody holds it. */
const made = new Map<string, { disk: Promise<FilesDisk>; home: Disposable; holders: number }>();

/**
 * Makes an ext4 image with files and directories (guest path → host path), or shares the one of the same files
 * unchanged that is held already. It is gone when the last holder disposes of it.
 * @throws Error when a host path does not exist
 */
export async function filesDisk(files: Record<string, string>): Promise<FilesDisk & Disposable> {
  const sources = Object.entries(files).map(([guest, host]) => ({ guest, host: realpathSync(host) }));
  const key = JSON.stringify(sources.map(({ guest, host }) => [guest, ...fingerprint(host)]));
  let entry = made.get(key);
  if (entry === undefined) {
    const home = temporaryDirectory();
    entry = { disk: make(sources, home.path), home, holders: 0 };
    made.set(key, entry);
  }
  const held = entry;
  held.holders++;
  const release = (): void => {
    if (--held.holders > 0) return;
    made.delete(key);
    held.home[Symbol.dispose]();
  };
  try {
    return { ...(await held.disk), [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

async function make(sources: { guest: string; host: string }[], home: string): Promise<FilesDisk> {
  const tree = join(home, "tree");
  const image = join(home, "files.ext4");
  mkdirSync(tree);
  const lines: string[] = [];
  for (const [number, { guest, host }] of sources.entries()) {
    await exec(["cp", "--archive", "--reflink=auto", host, join(tree, `${number}`)]);
    lines.push(`${number} ${statSync(host).isDirectory() ? "d" : "f"} ${guest}\n`);
  }
  await ext4Image(image, tree, freeMiB, "files");
  rmSync(tree, { recursive: true });
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
