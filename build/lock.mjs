// One set-up or build at a time in one tree.

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { DIST, SetupError, say } from "./project.mjs";

/**
 * Does the work while holding dist/.lock. The kernel holds the lock for a child that lives as long as our end of
 * its stdin is open, so however this process ends, nothing stale is left.
 * @template T
 * @param {() => Promise<T>} work
 */
export async function withLock(work) {
  mkdirSync(DIST, { recursive: true });
  const holder = spawn("flock", [join(DIST, ".lock"), "sh", "-c", "echo locked; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true, // else Ctrl-C would end it before us
  });
  const waiting = setTimeout(() => say("waiting for another set-up or build in this directory"), 1000);
  const no = () => false;
  const locked = await Promise.race([
    once(holder.stdout, "data").then(() => true, no),
    once(holder, "exit").then(no, no), // an error, such as a missing flock, rejects both
  ]);
  clearTimeout(waiting);
  if (!locked) throw new SetupError("dist/.lock cannot be locked: install util-linux, and check that dist is writable");
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await once(holder, "exit");
  }
}
