// Debian packages: what is missing, and how to get it.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { capture, step } from "./command.mjs";
import { missingPackages, packagesFor } from "./packages.mjs";
import { SetupError } from "./project.mjs";

const APT_GET = "/usr/bin/apt-get";

/**
 * The packages for these purposes that are not installed. Without dpkg, nothing can be said: all of them.
 * @param {readonly import("./packages.mjs").Purpose[]} purposes
 */
export function missingAptPackages(purposes) {
  const names = packagesFor(purposes);
  const format = "${Package} ${db:Status-Status}\\n";
  const report = spawnSync("dpkg-query", ["-W", "-f", format, ...names], { encoding: "utf8" });
  return missingPackages(names, report.stdout ?? "");
}

/**
 * Installs packages without asking anything.
 * @param {readonly string[]} names
 */
export async function installAptPackages(names) {
  if (!existsSync(APT_GET)) {
    throw new SetupError(`this is not Debian: install by hand what Debian calls ${names.join(" ")}`);
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await step("apt-get update", () => capture(APT_GET, [...wait, "-q", "update"], { env }));
  await step(`apt-get install ${names.join(" ")}`, () =>
    capture(APT_GET, [...wait, "-q", "-y", "--no-install-recommends", "install", ...names], { env }),
  );
}
