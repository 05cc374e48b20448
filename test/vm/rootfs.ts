import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sourcesLine } from "./apt.ts";
import { cacheDirectory, withLock } from "./cache.ts";
import { temporaryDirectory } from "./cleanup.ts";
import { exec } from "./exec.ts";
import { ext4Image } from "./ext4.ts";

const suite = "bookworm";

/** On top of Debian's minbase: what boots the guest, and the programs with which people change the files that bpfink watches. */
const packages = [
  "acl",
  "attr",
  "btrfs-progs",
  "e2fsprogs",
  "git",
  "kmod",
  "libcap2-bin",
  "login",
  "nano",
  "openssh-client",
  "passwd",
  "procps",
  "rsync",
  "sudo",
  "util-linux",
  "vim-tiny",
  "xfsprogs",
  "xz-utils",
];

/** Counted up when what is made of the packages changes. */
const recipe = 1;

/** Room for what the guests write; it costs nothing, the image is sparse. */
const freeMiB = 2048;

let inFlight: Promise<string> | undefined;

/**
 * The ext4 image of the guests' user land: a Debian of its own, shared by all VMs, which never write to it.
 * Made with mmdebstrap (half a minute, as root) when the cache has none for this list of packages.
 * @throws Error when the archive cannot be reached
 */
export function ensureRootfs(): Promise<string> {
  inFlight ??= openOrMake();
  inFlight.catch(() => (inFlight = undefined));
  return inFlight;
}

async function openOrMake(): Promise<string> {
  const key = Bun.hash(JSON.stringify([suite, packages, recipe])).toString(16);
  const image = join(cacheDirectory(), "rootfs", `${suite}-${key}.ext4`);
  if (existsSync(image)) return image;
  return withLock(join(dirname(image), "lock"), async () => {
    if (!existsSync(image)) await make(image);
    return image;
  });
}

async function make(image: string): Promise<void> {
  using scratch = temporaryDirectory();
  const tree = join(scratch.path, "root");
  await exec([
    "mmdebstrap",
    "--variant=minbase",
    `--include=${packages.join(",")}`,
    ...(await aptOptions()),
    ...["usr/share/doc", "usr/share/locale", "usr/share/man"].map((path) => `--dpkgopt=path-exclude=/${path}/*`),
    suite,
    tree,
    await sourcesLine(suite),
  ]);
  mkdirSync(dirname(image), { recursive: true });
  const staging = mkdtempSync(join(dirname(image), `.${basename(image)}-`));
  try {
    await ext4Image(join(staging, "image"), tree, freeMiB, "root");
    renameSync(join(staging, "image"), image);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** mmdebstrap does not read the machine's apt configuration; how it reaches the archive (proxies) has to be handed on. */
async function aptOptions(): Promise<string[]> {
  const dump = await exec(["apt-config", "dump"]);
  const lines = dump.split("\n").filter((line) => /^Acquire::(https?|Retries)\b.* ".+";$/.test(line));
  return lines.map((line) => `--aptopt=${line}`);
}
