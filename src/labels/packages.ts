import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Actor } from "../event.ts";
import { pathBytes } from "../paths.ts";
import { DpkgDatabase } from "./dpkg.ts";
import { managersOf } from "./managers.ts";
import { type Installed, placeOf, RpmDatabase } from "./rpm.ts";
import type { Algorithm, Shipped } from "./shipped.ts";

/** `package: {name, version, verified}`, as lines have it. */
export interface PackageLabel {
  readonly name: string;
  readonly version: string;
  /** Whether the content is the one that the package ships. */
  readonly verified: boolean;
}

/** What is known of where a file comes from. */
export interface Provenance {
  readonly label: PackageLabel | undefined;
  /** A package manager is at work that notes what it did a moment after it did it: this may not be all. */
  readonly isOpen: boolean;
}

/** A file that was looked at. */
export interface Question {
  /** As in the line. */
  readonly path: string;
  /** What to open; free of symbolic links. */
  readonly file: string;
  /** SHA-256 of the content that was looked at. */
  readonly digest: string;
  readonly actors: readonly (Actor | undefined)[];
  /** What its package manager notes a moment later would be there by now. */
  readonly waited: boolean;
}

/** How much is read at a time, in bytes. */
const CHUNK = 1 << 18;

/** What the package managers of this host know. */
export class Packages {
  readonly #dpkg: DpkgDatabase;
  readonly #rpm: RpmDatabase;

  /** @param root what `/` means; free of symbolic links */
  constructor(root: string) {
    this.#dpkg = new DpkgDatabase(join(root, "var/lib/dpkg"));
    this.#rpm = new RpmDatabase(root);
  }

  /**
   * The package that a file comes from, if a package manager put it there. Costs a look into its
   * database, and the digest that it keeps if that is another than ours, and only then.
   */
  provenance({ path, file, digest, actors, waited }: Question): Provenance {
    const known = actors.filter((actor) => actor !== undefined);
    const managers = new Set(known.flatMap(managersOf));
    const dpkg = managers.has("dpkg") ? this.#dpkg.find(path) : undefined;
    const rpm = managers.has("rpm") ? this.#rpm.find(path) : undefined;
    const shipped = [...(dpkg === undefined ? [] : [dpkg]), ...(rpm ?? [])];
    const found = shipped.find((candidate) => holds(candidate, file, digest));
    // rpm notes nothing of what is not in its place yet
    const isPlaced = placeOf(path) === path;
    const isOpen = rpm !== undefined && known.some((actor) => isAtWork(actor, isPlaced ? found : undefined));
    // what is about to be noted is the version after
    const { name, version } = found ?? (isOpen && !(waited && isPlaced) ? undefined : shipped[0]) ?? {};
    const isKnown = name !== undefined && version !== undefined;
    return { label: isKnown ? { name, version, verified: found !== undefined } : undefined, isOpen };
  }
}

/**
 * Whether rpm may be about to note where a file comes from: it puts files into place itself, while
 * what it starts comes before or after that. Of what it noted since it began it notes nothing more.
 */
function isAtWork(actor: Actor, found: (Shipped & Partial<Installed>) | undefined): boolean {
  if (managersOf(actor)[0] !== "rpm") return false;
  const begun = Math.floor((Date.parse(actor.process.start) || 0) / 1000) * 1000;
  return (found?.installed ?? -1) < begun;
}

/** Whether a package holds the content that was looked at. */
function holds({ digest, algorithm }: Shipped, file: string, looked: string): boolean {
  if (algorithm === "sha256") return digest === looked;
  const now = digestsOf(file, algorithm);
  // what was looked at and what is there now must be one
  return now?.sha256 === looked && now.other === digest;
}

function digestsOf(
  file: string,
  algorithm: Algorithm,
): { readonly other: string; readonly sha256: string } | undefined {
  const digests = { other: new Bun.CryptoHasher(algorithm), sha256: new Bun.CryptoHasher("sha256") };
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
  return { other: digests.other.digest("hex"), sha256: digests.sha256.digest("hex") };
}
