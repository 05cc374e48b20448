// From any state of the machine and the tree to a fresh dist, doing only what is missing.

import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installAptPackages, missingAptPackages } from "./apt.mjs";
import { step } from "./command.mjs";
import { withLock } from "./lock.mjs";
import { installNpmPackages, npmPackagesCurrent } from "./npm.mjs";
import { DIST, ROOT } from "./project.mjs";
import { digestFiles, outputIsFresh, recordStamp } from "./stamp.mjs";
import { STEPS } from "./steps.mjs";

/** Whether dist was made from what is in the tree now. */
export function buildIsFresh() {
  return STEPS.every(({ output, inputs }) => outputIsFresh(output, inputs));
}

/**
 * Makes sure that packages for these purposes are installed and that dist is fresh.
 * @param {readonly import("./packages.mjs").Purpose[]} purposes
 */
export async function setUp(purposes) {
  if (npmPackagesCurrent() && missingAptPackages(purposes).length === 0 && buildIsFresh()) return;
  await withLock(async () => {
    if (!npmPackagesCurrent()) await installNpmPackages();
    const missing = missingAptPackages(purposes);
    if (missing.length > 0) await installAptPackages(missing);
    await build();
  });
}

/** Makes what is stale in dist. Needs the lock. */
async function build() {
  // what an interrupted build left; nobody else builds while we hold the lock
  for (const name of readdirSync(DIST)) {
    if (name.startsWith(".work-")) rmSync(join(DIST, name), { recursive: true });
  }
  for (const { output, inputs, make } of STEPS) {
    if (outputIsFresh(output, inputs)) continue;
    const work = join(DIST, `.work-${process.pid}`);
    mkdirSync(work);
    try {
      await step(`build dist/${output}`, async () => {
        const digest = digestFiles(ROOT, inputs); // before: a change during the build makes it stale again
        await make(join(work, output));
        renameSync(join(work, output), join(DIST, output));
        recordStamp(output, digest);
      });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
}
