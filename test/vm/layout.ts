import { existsSync } from "node:fs";
import { join } from "node:path";
import { fleeting } from "../programs/build.ts";
import { buildTechniques } from "../techniques/build.ts";
import type { KernelName } from "./kernels.ts";

export const repository = join(import.meta.dir, "../..");

/** Where the repository's files are in a guest. */
export const guestDirectory = "/opt/bpfink";

/**
 * What a guest needs to run the end to end tests (guest path → host path).
 *
 * The tests are run by the bun that runs the harness, not by the product's executable with BUN_BE_BUN=1, which would
 * be inherited by every bpfink that a test starts and turn it into a bun.
 * @param binary host path of the compiled bpfink, when there is one
 */
export function guestFiles(binary: string | undefined): Record<string, string> {
  const files: Record<string, string> = {
    "/opt/bun/bun": process.execPath,
    [`${guestDirectory}/techniques`]: buildTechniques(),
    [`${guestDirectory}/fleeting`]: fleeting(),
    [`${guestDirectory}/node_modules/diff`]: join(repository, "node_modules/diff"),
  };
  if (binary !== undefined) files[`${guestDirectory}/bpfink`] = binary;
  for (const name of ["test", "package.json", "tsconfig.json", "bunfig.toml"]) {
    const path = join(repository, name);
    if (existsSync(path)) files[join(guestDirectory, name)] = path;
  }
  return files;
}

/** The environment in which the tests find bpfink and know where they run. */
export function guestEnvironment(kernel: KernelName): Record<string, string> {
  return {
    BPFINK: `${guestDirectory}/bpfink`,
    BPFINK_TECHNIQUES: `${guestDirectory}/techniques`,
    BPFINK_FLEETING: `${guestDirectory}/fleeting`,
    BPFINK_KERNEL: kernel,
    BPFINK_EXPECT_BACKEND: "ebpf",
    PATH: `${guestDirectory}:/opt/bun:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
}
