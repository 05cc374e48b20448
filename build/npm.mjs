// npm packages: whether node_modules is what package-lock.json says, and how to make it so.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capture, step } from "./command.mjs";
import { BUN, ROOT } from "./project.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} Locked
 * @typedef {{ packages?: Record<string, Locked> }} Lockfile
 */

/**
 * Whether what npm recorded as installed is what the lock asks for. Optional packages, those for other machines,
 * may be absent; nothing else may be, and nothing may be there in another version.
 * @param {Lockfile} wanted package-lock.json
 * @param {Lockfile} installed node_modules/.package-lock.json
 */
export function lockfilesAgree(wanted, installed) {
  const want = wanted.packages ?? {};
  const have = installed.packages ?? {};
  for (const [path, entry] of Object.entries(want)) {
    if (path !== "" && !entry.optional && have[path] === undefined) return false;
  }
  return Object.entries(have).every(
    ([path, entry]) => want[path]?.version === entry.version && want[path]?.integrity === entry.integrity,
  );
}

/** Whether npm ci would change nothing. */
export function npmPackagesCurrent() {
  try {
    const wanted = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    const installed = JSON.parse(readFileSync(join(ROOT, "node_modules/.package-lock.json"), "utf8"));
    return existsSync(BUN) && lockfilesAgree(wanted, installed);
  } catch {
    return false; // not installed, or half: npm ci makes it anew
  }
}

/** Makes node_modules what package-lock.json says. */
export async function installNpmPackages() {
  // .npmrc silences npm, and NODE_ENV=production would leave bun out
  await step("npm ci", () => capture("npm", ["ci", "--include=dev", "--loglevel=error"], { cwd: ROOT }));
}
