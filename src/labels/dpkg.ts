import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { aliases, type Shipped } from "./shipped.ts";

/** The only digest that dpkg keeps. */
const algorithm = "md5";

/** The md5sums of a package that was unpacked longer ago than this are not asked: dpkg is not at work on it. Milliseconds. */
const RECENT = 600_000;

/**
 * dpkg's database as it is while dpkg is at work, so that a file can be known the moment it is in
 * place. dpkg moves the files of a package to their names while its control files are in `tmp.ci`,
 * moves those to `info` then, and brings `status` up to date last, by way of `updates`
 * (src/main/unpack.c of dpkg: process_archive, pkg_infodb_update; lib/dpkg/dbmodify.c).
 */
export class DpkgDatabase {
  readonly #directory: string;
  #recent: { readonly mtime: number; readonly files: readonly string[] } = { mtime: -1, files: [] };

  /** @param directory `/var/lib/dpkg` */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Which package that is being installed, or just was, ships a path; undefined if none does. */
  find(path: string): Shipped | undefined {
    return this.#unpacking(path) ?? this.#unpacked(path) ?? conffile(this.#read("status"), path);
  }

  #unpacking(path: string): Shipped | undefined {
    const digest = sumOf(this.#read("tmp.ci/md5sums"), path);
    const stanza = this.#read("tmp.ci/control");
    const [name, version] = [field(stanza, "Package"), field(stanza, "Version")];
    if (digest === undefined || name === undefined || version === undefined) return undefined;
    return { name, version, digest, algorithm };
  }

  #unpacked(path: string): Shipped | undefined {
    for (const file of this.#recentSums()) {
      const digest = sumOf(this.#read(`info/${file}`), path);
      const [name = ""] = file.slice(0, -".md5sums".length).split(":");
      if (digest !== undefined) return { name, version: this.#version(name), digest, algorithm };
    }
    return undefined;
  }

  /** Names of the md5sums that came lately. The rename gives them a new ctime; mtime is the builder's. */
  #recentSums(): readonly string[] {
    const info = join(this.#directory, "info");
    const mtime = statSync(info, { throwIfNoEntry: false })?.mtimeMs ?? -1;
    if (mtime !== this.#recent.mtime) {
      const since = Date.now() - RECENT;
      const sums = readdirSync(info).filter((file) => file.endsWith(".md5sums"));
      const age = (file: string) => statSync(join(info, file), { throwIfNoEntry: false })?.ctimeMs ?? 0;
      this.#recent = { mtime, files: sums.filter((file) => age(file) > since) };
    }
    return this.#recent.files;
  }

  /** The status names the version before until dpkg is done with a package; its `control` is in tmp.ci until then. */
  #version(name: string): string {
    const control = this.#read("tmp.ci/control");
    const version = field(control, "Package") === name ? field(control, "Version") : undefined;
    return version ?? this.#versionInStatus(name);
  }

  #versionInStatus(name: string): string {
    const updates = join(this.#directory, "updates");
    const files = statSync(updates, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(updates).sort();
    const stanzas = [this.#read("status"), ...files.map((file) => this.#read(`updates/${file}`))];
    const found = stanzas.map((text) => stanzaOf(text, name)).findLast((text) => text !== undefined);
    return field(found ?? "", "Version") ?? "";
  }

  /** "" for what is not there: dpkg moves its files while we read. */
  #read(file: string): string {
    try {
      return readFileSync(join(this.#directory, file), "utf8");
    } catch {
      return "";
    }
  }
}

/** Pure. From the lines of an md5sums file: 32 digits, two spaces, the path without its first slash. */
export function sumOf(md5sums: string, path: string): string | undefined {
  for (const name of namesOf(path)) {
    const at = `\n${md5sums}`.indexOf(`  ${name}\n`);
    const sum = at < 33 ? "" : `\n${md5sums}`.slice(at - 33, at);
    if (/^\n[0-9a-f]{32}$/.test(sum)) return sum.slice(1);
  }
  return undefined;
}

/** Pure. From `Conffiles:` in the status: a space, the path, the digest, and perhaps a flag. */
export function conffile(status: string, path: string): Shipped | undefined {
  const at = status.indexOf(`\n ${path} `);
  const md5 =
    at < 0 ? undefined : /^[0-9a-f]{32}(?=[ \n])/.exec(status.slice(at + path.length + 3, at + path.length + 36));
  if (md5 === null || md5 === undefined) return undefined;
  const stanza = status.slice(status.lastIndexOf("\n\n", at) + 1, at + 1);
  const name = field(stanza, "Package");
  if (name === undefined) return undefined;
  return { name, version: field(stanza, "Version") ?? "", digest: md5[0], algorithm };
}

/** What a package may call a file in its md5sums; one on its way to its name has `.dpkg-new` behind it. */
const namesOf = (path: string): string[] =>
  aliases(path.replace(/\.dpkg-new$/, "")).flatMap((name) => [name.slice(1), `.${name}`]);

function stanzaOf(text: string, name: string): string | undefined {
  const all = `\n${text}\n`;
  const at = all.indexOf(`\nPackage: ${name}\n`);
  return at < 0 ? undefined : all.slice(at, all.indexOf("\n\n", at + 1));
}

function field(stanza: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.+)$`, "m").exec(stanza)?.[1];
}
