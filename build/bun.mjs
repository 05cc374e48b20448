// The pinned bun, run in the repository's root with our stdin, stdout and stderr.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { BUN, ROOT } from "./project.mjs";

/**
 * Runs bun; its end is ours. Ctrl-C reaches it by itself, SIGTERM is passed on.
 * @param {readonly string[]} args
 */
export function runBun(args) {
  const child = spawn(BUN, args, { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...bunEnvironment() } });
  const ignore = () => {};
  const passOn = () => child.kill("SIGTERM");
  process.on("SIGINT", ignore).on("SIGTERM", passOn);
  child.once("exit", (status, signal) => {
    if (signal === null) process.exit(status ?? 1);
    process.removeListener("SIGINT", ignore).removeListener("SIGTERM", passOn);
    process.kill(process.pid, signal);
  });
}

/** bun's environment: its cache stays inside the tree, and no option from outside changes what it does. */
export function bunEnvironment() {
  return { BUN_INSTALL_CACHE_DIR: join(ROOT, "node_modules/.cache/bun"), BUN_OPTIONS: "", DO_NOT_TRACK: "1" };
}
