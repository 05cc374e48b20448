import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { exec } from "./exec.ts";

const targetFormat = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(LABEL)";

/**
 * The URI of the machine's own Debian archive, out of `apt-get indextargets --format "${targetFormat}"`.
 *
 * The label is known only after an `apt-get update`; before, a field is its own `$(NAME)`, and the path has to tell.
 */
export function debianMirror(indexTargets: string): string | undefined {
  for (const line of indexTargets.split("\n")) {
    const [uri = "", release = "", component, label = ""] = line.split("|");
    if (component !== "main" || /security|-updates|-backports/.test(release)) continue;
    const isDebian = label.startsWith("$(") || label === "" ? /\/debian(\/|$)/.test(uri) : label === "Debian";
    if (isDebian) return uri;
  }
  return undefined;
}

async function mirror(): Promise<string> {
  const override = process.env["BPFINK_DEBIAN_MIRROR"];
  if (override) return override;
  const found = debianMirror(await exec(["apt-get", "indextargets", "--format", targetFormat, "Created-By: Packages"]));
  if (found === undefined) {
    throw new Error("no Debian archive in this machine's apt sources: set BPFINK_DEBIAN_MIRROR to the URI of one");
  }
  return found;
}

function keyring(): string {
  const candidates = ["gpg", "pgp"].map((suffix) => `/usr/share/keyrings/debian-archive-keyring.${suffix}`);
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error("no debian-archive-keyring: apt-get install debian-archive-keyring");
  return found;
}

/** The one line of sources.list(5) for a suite, signed by the Debian archive's keys. */
export async function sourcesLine(suite: string): Promise<string> {
  return `deb [arch=amd64 signed-by=${keyring()}] ${await mirror()} ${suite} main`;
}

/** apt with its own sources and state, for one suite: what the machine has installed or pinned plays no part. */
export interface PrivateApt {
  /** Names and versions of the packages that `root` needs, itself included, whose names match. */
  closure(root: string, names: RegExp): Promise<string[]>;
  /** Downloads packages into a directory; apt verifies them against the signed index. */
  download(packages: string[], directory: string): Promise<void>;
}

/** Opens (and updates) the private apt for a suite. The caller holds the suite's lock. */
export async function privateApt(suite: string): Promise<PrivateApt> {
  const state = join(cacheDirectory(), "apt", suite);
  mkdirSync(join(state, "lists/partial"), { recursive: true });
  mkdirSync(join(state, "archives/partial"), { recursive: true });
  writeFileSync(join(state, "sources.list"), `${await sourcesLine(suite)}\n`);
  writeFileSync(join(state, "status"), "");
  const options = {
    "Dir::Etc::sourcelist": join(state, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::State": state,
    "Dir::State::lists": join(state, "lists"),
    "Dir::State::status": join(state, "status"),
    "Dir::Cache": state,
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    // The Release file of a suite that has been archived has expired; its signature is checked all the same.
    "Acquire::Check-Valid-Until": "false",
    "APT::Update::Error-Mode": "any",
    // apt would drop to _apt, which cannot write below a root-only cache.
    ...(process.getuid?.() === 0 ? { "APT::Sandbox::User": "root" } : {}),
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await exec(["apt-get", ...flags, "--quiet", "update"]);
  return {
    async closure(root, names) {
      const weak = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
      const text = await exec([
        "apt-cache",
        ...flags,
        "depends",
        "--recurse",
        ...weak.map((kind) => `--no-${kind}`),
        root,
      ]);
      return [...new Set(text.split("\n").filter((line) => names.test(line)))].sort();
    },
    async download(packages, directory) {
      await exec(["apt-get", ...flags, "--quiet", "download", ...packages], { cwd: directory });
    },
  };
}
