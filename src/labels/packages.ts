import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Actor } from "../event.ts";
import { pathBytes } from "../paths.ts";
import { DpkgDatabase } from "./dpkg.ts";

/** `package: {name, version, verified}`, as lines have it. */
export interface PackageLabel {
  readonly name: string;
  readonly version: string;
  /** Whether the content is the one that the package ships. */
  readonly verified: boolean;
}

const DPKG = new Set(["dpkg", "apt", "apt-get", "aptitude"].map((name) => `/usr/bin/${name}`));

/** How much is read at a time, in bytes. */
const CHUNK = 1 << 18;

/** What the package managers of this host know. rpm is not asked: see the README. */
export class Packages {
  readonly #dpkg: DpkgDatabase;

  /** @param root what `/` means; free of symbolic links */
  constructor(root: string) {
    this.#dpkg = new DpkgDatabase(join(root, "var/lib/dpkg"));
  }

  /**
   * The package that a file comes from, if a package manager put it there. Costs a look into its
   * database and an MD5, and only then.
   *
   * @param path as in the line
   * @param file what to open; free of symbolic links
   * @param digest SHA-256 of the content that was looked at
   */
  label(path: string, file: string, digest: string, actors: readonly (Actor | undefined)[]): PackageLabel | undefined {
    if (!actors.some((actor) => actor !== undefined && isPackageManager(actor))) return undefined;
    const shipped = this.#dpkg.find(path);
    if (shipped === undefined) return undefined;
    const now = digestsOf(file);
    // what was looked at and what is there now must be one
    const verified = now?.sha256 === digest && now.md5 === shipped.md5;
    return { name: shipped.name, version: shipped.version, verified };
  }
}

/** By the path of the executable, of the process or one that it descends from. */
function isPackageManager({ process }: Actor): boolean {
  return [process, ...(process.ancestors ?? [])].some(({ executable }) => DPKG.has(executable));
}

function digestsOf(file: string): { readonly md5: string; readonly sha256: string } | undefined {
  const digests = { md5: new Bun.CryptoHasher("md5"), sha256: new Bun.CryptoHasher("sha256") };
  const chunk = new Uint8Array(CHUNK);
  try {
    const fd = openSync(pathBytes(file), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      for (let n = -1; n !== 0;) {
        n = readSync(fd, chunk, 0, CHUNK, null);
        for (const digest of Object.values(digests)) digest.update(chunk.subarray(0, n));
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // gone by now
  }
  return { md5: digests.md5.digest("hex"), sha256: digests.sha256.digest("hex") };
}
