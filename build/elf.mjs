// Checks on what the build made: on which systems it will load, and that nothing was lost.

import { basename } from "node:path";
import { capture } from "./command.mjs";
import { SetupError } from "./project.mjs";

/** Oldest glibc to run on: that of RHEL 8, Debian 10 and Ubuntu 18.10. Kernels that bpfink supports come with it. */
export const GLIBC_FLOOR = "2.28";

/**
 * The newest glibc that an ELF file asks for, "0" if it asks for none.
 * @param {string} versions output of readelf -VW
 */
export function newestGlibc(versions) {
  const needed = [...versions.matchAll(/Name: GLIBC_([0-9.]+)/g)].map((match) => match[1] ?? "0");
  return needed.sort(compareVersions).at(-1) ?? "0";
}

/**
 * The shared libraries that an ELF file needs.
 * @param {string} dynamic output of readelf -dW
 */
export function neededLibraries(dynamic) {
  return [...dynamic.matchAll(/\(NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map((match) => match[1] ?? "");
}

/**
 * Less than, equal to or more than 0 as the first dotted version is older, the same or newer.
 * @param {string} first
 * @param {string} second
 */
export function compareVersions(first, second) {
  const [a, b] = [first.split(".").map(Number), second.split(".").map(Number)];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Fails unless a file loads on GLIBC_FLOOR and needs no library but those allowed.
 * @param {string} file
 * @param {readonly string[]} allowed
 */
export async function checkLoadsAnywhere(file, allowed) {
  const others = neededLibraries(await capture("readelf", ["-dW", file])).filter((name) => !allowed.includes(name));
  if (others.length > 0) throw new SetupError(`${basename(file)} needs ${others.join(" ")}: link that statically`);
  const newest = newestGlibc(await capture("readelf", ["-VW", file]));
  if (compareVersions(newest, GLIBC_FLOOR) > 0) {
    throw new SetupError(
      `${basename(file)} needs glibc ${newest}, newer than ${GLIBC_FLOOR}: see objdump -T, and add to build/libbpf-shim.c`,
    );
  }
}

/**
 * Fails unless a file has these sections.
 * @param {string} file
 * @param {readonly string[]} names
 */
export async function checkSections(file, names) {
  const table = await capture("readelf", ["-SW", file]);
  const missing = names.filter((name) => !table.includes(` ${name} `));
  if (missing.length > 0)
    throw new SetupError(`${basename(file)} has no ${missing.join(" ")}: was it compiled with -g?`);
}
