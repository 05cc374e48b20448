// npm start -- ARGS: sets up what is missing, then becomes dist/bpfink ARGS, as far as Node can.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { EXECUTABLE, requireRoot, run } from "./project.mjs";
import { buildIsFresh, setUp } from "./setup.mjs";

requireRoot("npm start");
await run(async () => {
  // the executable needs nothing but itself
  if (!buildIsFresh()) await setUp(["build"]);
  becomeBpfink(process.argv.slice(2));
});

/**
 * Runs bpfink with our stdin, stdout and stderr; signals go to it, and its end is ours.
 * @param {string[]} args
 */
function becomeBpfink(args) {
  const child = spawn(EXECUTABLE, args, { stdio: "inherit" });
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  /** @type {Set<string>} */
  const passing = new Set();
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    // npm passes Ctrl-C on to us, and the terminal sends it to all of us: once is enough
    if (passing.has(signal)) return;
    passing.add(signal);
    const delay = signal === "SIGINT" && inForeground() ? 2000 : 0;
    setTimeout(() => {
      child.kill(signal);
      passing.delete(signal);
    }, delay);
  };
  for (const signal of signals) process.on(signal, passOn);
  child.once("error", (error) => {
    process.stderr.write(`bpfink: ${EXECUTABLE} cannot be run: ${error.message}\n`);
    process.exit(1);
  });
  child.once("exit", (status, signal) => {
    if (signal === null) process.exit(status ?? 1);
    for (const name of signals) process.removeListener(name, passOn);
    process.kill(process.pid, signal);
  });
}

/** Whether a terminal's Ctrl-C comes to our process group, so to bpfink as well. */
function inForeground() {
  // man 5 proc_pid_stat: after the name in parentheses: state ppid pgrp session tty_nr tpgid
  const [, , pgrp, , , tpgid] = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return pgrp === tpgid;
}
