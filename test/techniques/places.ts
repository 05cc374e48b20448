// Where techniques are tried: a directory on each file system, which goes with the test.
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  statfsSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { TemporaryDirectory } from "../e2e/files.ts";
import { inVm, run } from "../e2e/process.ts";
import type { Case } from "./table.ts";
import { FILE_SYSTEMS, type FileSystem, type Layer, type Node } from "./technique.ts";

/** Devices of empty disks, separated by spaces (test/vm/suite.ts); the virtual machines have them, this machine has not. */
const disks = process.env["BPFINK_SCRATCH"]?.split(" ").filter((disk) => disk !== "") ?? [];

/** On the root's file system, which /tmp need not be. */
const PARENT = "/var/tmp";

/** linux/magic.h: what statfs(2) says of each. */
const MAGIC: Record<FileSystem, number> = {
  tmpfs: 0x01021994,
  ext4: 0xef53,
  btrfs: 0x9123683e,
  xfs: 0x58465342,
  overlay: 0x794c7630,
};

/** What there is without disks of one's own; the root has to be ext4 for that and for overlay, which lies on it. */
const withoutDisks: readonly FileSystem[] =
  statfsSync(PARENT).type === MAGIC.ext4 ? ["tmpfs", "ext4", "overlay"] : ["tmpfs"];

export const fileSystemsHere: readonly FileSystem[] = disks.length >= 2 ? FILE_SYSTEMS : withoutDisks;

const MAKE = { btrfs: ["mkfs.btrfs", "-q", "-f"], xfs: ["mkfs.xfs", "-q", "-f"] };

export class Places implements AsyncDisposable {
  readonly #directory = new TemporaryDirectory(PARENT);
  readonly #mounted: string[] = [];

  /** Mounts the file systems and makes what each technique needs before bpfink starts. */
  static async make(cases: readonly Case[]): Promise<Places> {
    const places = new Places();
    try {
      await places.#make(cases);
      return places;
    } catch (error) {
      await places[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The directory in which a technique's files are watched. */
  of({ technique, fileSystem }: Case, layer: Layer = "merged"): string {
    const place = layer === "merged" ? fileSystem : `layers/${layer}`;
    return this.#directory.at(place, technique.name);
  }

  async #make(cases: readonly Case[]): Promise<void> {
    for (const layer of ["lower", "upper", "work"]) this.#directory.directory(`layers/${layer}`);
    // before overlay is mounted: later, it need not notice
    for (const each of cases) if (each.technique.layer !== undefined) await this.#fill(each);
    for (const fileSystem of new Set(cases.map((each) => each.fileSystem))) await this.#mount(fileSystem);
    for (const each of cases) if (each.technique.layer === undefined) await this.#fill(each);
    // as files are that were written more than half a minute ago: their pages are not dirty
    for (const fileSystem of new Set(cases.map((each) => each.fileSystem)))
      await run("sync", "-f", this.#directory.at(fileSystem));
  }

  async #fill(each: Case): Promise<void> {
    const { before, layer, watch } = each.technique;
    const directory = this.of(each, layer?.files);
    mkdirSync(directory, { recursive: true });
    for (const [name, node] of Object.entries(before)) await this.#place(directory, join(directory, name), node);
    if (watch.length === 0) throw new Error(`${each.technique.name} watches nothing`);
  }

  async #place(directory: string, path: string, node: Node): Promise<void> {
    mkdirSync(dirname(path), { recursive: true });
    if (typeof node === "string") return writeFileSync(path, node);
    if ("hole" in node) {
      writeFileSync(path, "");
      return truncateSync(path, node.hole);
    }
    if ("directory" in node) return void mkdirSync(path, { recursive: true });
    if ("link" in node) return linkSync(join(directory, node.link), path);
    if ("symlink" in node) return symlinkSync(node.symlink, path);
    if ("mount" in node) {
      mkdirSync(path);
      await run("mount", "-t", node.mount, node.mount, path);
      this.#mounted.unshift(path);
      return;
    }
    writeFileSync(path, node.content);
    if (node.owner !== undefined) chownSync(path, node.owner, node.owner);
    if (node.mode !== undefined) chmodSync(path, node.mode);
    if (node.xattr !== undefined) await run("setfattr", "-n", node.xattr[0], "-v", node.xattr[1], path);
  }

  async #mount(fileSystem: FileSystem): Promise<void> {
    const path = this.#directory.directory(fileSystem);
    const mount = async (...args: string[]): Promise<void> => {
      await run("mount", ...args, path);
      this.#mounted.unshift(path);
    };
    const layers = this.#directory.at("layers");
    const options = `lowerdir=${layers}/lower,upperdir=${layers}/upper,workdir=${layers}/work`;
    const disk = fileSystem === "btrfs" ? disks[0] : disks[1];
    if (fileSystem === "btrfs" || fileSystem === "xfs") {
      await run(...MAKE[fileSystem], disk ?? "");
      await mount(disk ?? "");
    } else if (fileSystem === "ext4")
      await mount("--bind", path); // the root, with a mount to itself
    else if (fileSystem === "tmpfs") await mount("-t", "tmpfs", "-o", "mode=755", "tmpfs");
    else await mount("-t", "overlay", "-o", options, "overlay");
    await run("mount", "--make-private", path);
    const { type } = statfsSync(path);
    if (type !== MAGIC[fileSystem]) throw new Error(`${path} is not ${fileSystem}, but 0x${type.toString(16)}`);
    chmodSync(path, 0o755);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#mounted) await run("umount", "--recursive", "--lazy", path).catch(() => {});
    this.#directory[Symbol.dispose]();
  }
}

if (inVm && fileSystemsHere.length < FILE_SYSTEMS.length) throw new Error(`no ${FILE_SYSTEMS} with disks ${disks}`);
