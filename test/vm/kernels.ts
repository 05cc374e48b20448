import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { privateApt } from "./apt.ts";
import { cacheDirectory, publishDirectory, withLock } from "./cache.ts";
import { temporaryDirectory } from "./cleanup.ts";
import { cpio, directory, executable, file } from "./cpio.ts";
import { exec } from "./exec.ts";
import { ext4Image } from "./ext4.ts";
import { loadOrder } from "./modules.ts";

/** The kernels that bpfink is tested on, and so supports: Debian's cloud kernel of each suite. */
const suites = {
  "5.10": "bullseye",
  "6.1": "bookworm",
  "6.12": "trixie",
  sid: "sid",
} as const;

export type KernelName = keyof typeof suites;
export const kernelNames = Object.keys(suites) as KernelName[];

/** A kernel in the cache, ready to boot. Paths are absolute. */
export interface Kernel {
  name: KernelName;
  /** As uname -r prints it. */
  release: string;
  vmlinuz: string;
  /** cpio: busybox and the modules that are needed to find the root disk. The VM's own part is appended to it. */
  initramfs: string;
  /** ext4 image of /lib/modules/RELEASE. */
  modules: string;
}

/** Counted up when what is made of the packages changes. */
const recipe = 1;

/** What the initramfs loads, as far as the kernel has it as modules: disks, ports, and the root's file system. */
const bootModules = ["virtio_pci", "virtio_blk", "virtio_console", "ext4", "crc32c_generic"];

const packageNames = /^linux-(image|binary|modules|base)-[0-9].*-cloud-amd64$/;

const inFlight = new Map<KernelName, Promise<Kernel>>();

export function isKernelName(name: string): name is KernelName {
  return Object.hasOwn(suites, name);
}

/**
 * The kernel from the cache; fetched from the Debian archive when it is not there, or when `refresh` asks for the
 * newest of its suite.
 * @throws Error when the archive cannot be reached or a package does not have what is expected
 */
export function ensureKernel(name: KernelName, options: { refresh?: boolean } = {}): Promise<Kernel> {
  const known = inFlight.get(name);
  if (known !== undefined && options.refresh !== true) return known;
  const kernel = openOrFetch(name, options.refresh === true);
  inFlight.set(name, kernel);
  kernel.catch(() => inFlight.delete(name));
  return kernel;
}

async function openOrFetch(name: KernelName, refresh: boolean): Promise<Kernel> {
  const cached = refresh ? undefined : readCached(name);
  if (cached !== undefined) return cached;
  const home = join(cacheDirectory(), "kernels");
  return withLock(join(home, `${name}.lock`), async () => {
    // Another harness may have fetched it while this one waited for the lock.
    return (refresh ? undefined : readCached(name)) ?? fetchKernel(name, home);
  });
}

function pointer(name: KernelName): string {
  return join(cacheDirectory(), "kernels", `${name}-${recipe}.json`);
}

function readCached(name: KernelName): Kernel | undefined {
  try {
    const { path, release } = JSON.parse(readFileSync(pointer(name), "utf8"));
    return describe(name, path, release);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function describe(name: KernelName, path: string, release: string): Kernel {
  return {
    name,
    release,
    vmlinuz: join(path, "vmlinuz"),
    initramfs: join(path, "initramfs.cpio"),
    modules: join(path, "modules.ext4"),
  };
}

async function fetchKernel(name: KernelName, home: string): Promise<Kernel> {
  const apt = await privateApt(suites[name]);
  const packages = await apt.closure("linux-image-cloud-amd64", packageNames);
  using downloads = temporaryDirectory();
  await apt.download(packages, downloads.path);
  const debs = readdirSync(downloads.path).sort();
  const image = debs.find((deb) => deb.startsWith("linux-image-"));
  if (image === undefined) throw new Error(`linux-image-cloud-amd64 of ${suites[name]} depends on no kernel`);
  // The file name holds the version, so a refresh never touches a kernel that a running VM may be using.
  const path = join(home, `${basename(image, ".deb")}-${recipe}`);
  if (!existsSync(path)) {
    await publishDirectory(path, async (staging) => {
      const unpacked = join(downloads.path, "unpacked");
      for (const deb of debs) await exec(["dpkg-deb", "--extract", join(downloads.path, deb), unpacked]);
      await assemble(unpacked, staging);
    });
  }
  const release = readFileSync(join(path, "release"), "utf8");
  writeFileSync(`${pointer(name)}.new`, JSON.stringify({ path, release }));
  renameSync(`${pointer(name)}.new`, pointer(name));
  return describe(name, path, release);
}

/** Makes vmlinuz, modules.ext4, initramfs.cpio and release in `target` out of the unpacked packages. */
async function assemble(unpacked: string, target: string): Promise<void> {
  // Modules moved to /usr with trixie; sid keeps vmlinuz among them.
  const vmlinuz = findOne(unpacked, ["boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"]);
  const modules = dirname(findOne(unpacked, ["lib/modules/*/kernel", "usr/lib/modules/*/kernel"]));
  const release = basename(modules);
  // Unpacked here once rather than in every guest: TCG makes xz slow.
  await exec(["sh", "-c", "find . -name '*.ko.xz' -print0 | xargs -0 --no-run-if-empty xz --decompress"], {
    cwd: modules,
  });
  await exec(["depmod", "--basedir", resolve(modules, "../../.."), release]);
  await ext4Image(join(target, "modules.ext4"), modules, 0, "modules");
  const files = loadOrder(readFileSync(join(modules, "modules.dep"), "utf8"), bootModules);
  const initramfs = cpio([
    ...["bin", "dev", "modules", "proc", "root", "sys"].map(directory),
    executable("bin/busybox", readFileSync("/bin/busybox")),
    ...files.map((path, index) =>
      file(`modules/${String(index).padStart(2, "0")}-${basename(path)}`, readFileSync(join(modules, path))),
    ),
  ]);
  writeFileSync(join(target, "initramfs.cpio"), initramfs);
  copyFileSync(vmlinuz, join(target, "vmlinuz"));
  writeFileSync(join(target, "release"), release);
}

function findOne(root: string, patterns: string[]): string {
  const found = patterns.flatMap((pattern) => [
    ...new Bun.Glob(pattern).scanSync({ cwd: root, onlyFiles: false, absolute: true }),
  ]);
  const [path] = found;
  if (path === undefined || found.length > 1) {
    throw new Error(`${found.length} of ${patterns.join(", ")} in the kernel packages`);
  }
  return path;
}
