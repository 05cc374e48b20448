// Makes packages and installs them, with the real rpm.
import { rmSync } from "node:fs";
import type { TemporaryDirectory } from "./files.ts";
import { type Ended, run } from "./process.ts";

/** What Debian's rpm has elsewhere (in the home directory): where all others have it. */
const DATABASE = ["--dbpath", "/var/lib/rpm"];

export interface Package {
  readonly name?: string;
  readonly version: string;
  /** Content by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Further lines of the spec's header, and of `%files`. */
  readonly tags?: readonly string[];
  readonly listed?: readonly string[];
  /** In Lua, which rpm runs itself: there need be no shell in the root. */
  readonly after?: string;
  /** Macros: `_binary_filedigest_algorithm 1`. */
  readonly defines?: readonly string[];
}

/** Builds a package. Returns the path of its file. */
export async function buildPackage(directory: TemporaryDirectory, what: Package): Promise<string> {
  const { name = "bpfink-test", version, files, tags = [], listed = [], after, defines = [] } = what;
  const content = directory.directory("rpm/content");
  rmSync(content, { recursive: true });
  const paths = Object.keys(files);
  for (const path of paths) directory.write(`rpm/content${path}`, files[path]);
  const spec = [
    ...[
      `Name: ${name}`,
      `Version: ${version}`,
      "Release: 1",
      "Summary: t",
      "License: none",
      "BuildArch: noarch",
      ...tags,
    ],
    ...["%description", "t", "%install"],
    `mkdir -p %{buildroot} && cp -a ${content}/. %{buildroot}`,
    ...(after === undefined ? [] : ["%post -p <lua>", after]),
    ...["%files", ...paths.map((path) => `"${path}"`), ...listed],
  ];
  const file = directory.write("rpm/t.spec", `${spec.join("\n")}\n`);
  const output = directory.at("rpm/out");
  rmSync(output, { recursive: true, force: true });
  const all = [`_topdir ${directory.at("rpm/top")}`, `_rpmdir ${output}`, "_build_name_fmt t.rpm", ...defines];
  await run("rpmbuild", "-bb", "--quiet", ...all.flatMap((define) => ["--define", define]), file);
  return directory.at("rpm/out/t.rpm");
}

/** Runs rpm on the system below a root. */
export async function rpm(root: string, ...args: string[]): Promise<Ended> {
  return run("rpm", "--root", root, ...DATABASE, ...args);
}
