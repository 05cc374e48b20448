// Which outputs are older than their inputs, by content: no clock, no checkout order and no copy can deceive it.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIST, ROOT } from "./project.mjs";

/** Maps an output's name to the digest of all that it was made from, and its size. */
/** @typedef {Record<string, { inputs: string, size: number }>} Stamps */

const STAMPS = join(DIST, ".stamps.json");

/**
 * All files below some paths, sorted; a path that does not exist has none.
 * @param {string} root
 * @param {readonly string[]} paths files or directories, relative to root
 * @returns {string[]} relative to root
 */
export function listFiles(root, paths) {
  const files = paths.flatMap((path) => {
    const status = statSync(join(root, path), { throwIfNoEntry: false });
    if (status === undefined) return [];
    if (!status.isDirectory()) return [path];
    return listFiles(
      root,
      readdirSync(join(root, path)).map((name) => `${path}/${name}`),
    );
  });
  return files.sort();
}

/**
 * The digest of the names and contents of files.
 * @param {string} root
 * @param {readonly string[]} paths files or directories, relative to root
 */
export function digestFiles(root, paths) {
  const hash = createHash("sha256");
  for (const file of listFiles(root, paths)) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/**
 * Whether a stamp says that the output was made from these inputs and has been left alone since.
 * @param {Stamps} stamps
 * @param {string} output
 * @param {string} inputs
 * @param {number | undefined} size of the output now; undefined: there is none
 */
export function isFresh(stamps, output, inputs, size) {
  const stamp = stamps[output];
  return stamp !== undefined && stamp.inputs === inputs && stamp.size === size;
}

/** @returns {Stamps} what was recorded; nothing if that cannot be read */
export function readStamps() {
  try {
    return JSON.parse(readFileSync(STAMPS, "utf8"));
  } catch {
    return {};
  }
}

/**
 * Records that an output was made from these inputs.
 * @param {string} output a name in dist
 * @param {string} inputs
 */
export function recordStamp(output, inputs) {
  const stamps = { ...readStamps(), [output]: { inputs, size: statSync(join(DIST, output)).size } };
  writeFileSync(`${STAMPS}.new`, `${JSON.stringify(stamps, null, 2)}\n`);
  renameSync(`${STAMPS}.new`, STAMPS);
}

/**
 * Whether dist holds an output made from what is in the tree now.
 * @param {string} output a name in dist
 * @param {readonly string[]} paths its inputs
 */
export function outputIsFresh(output, paths) {
  const size = statSync(join(DIST, output), { throwIfNoEntry: false })?.size;
  return isFresh(readStamps(), output, digestFiles(ROOT, paths), size);
}
