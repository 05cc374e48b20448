// Runs the commands of set-up and build: quiet while they work, shown whole when they fail.

import { spawn } from "node:child_process";
import { Interrupted, SetupError } from "./project.mjs";

const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Runs a command to its end and returns what it printed, stdout and stderr together. It gets no stdin, because
 * that belongs to bpfink. A signal meanwhile goes to the command, and then ends this process.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<string>}
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let output = "";
    /** @type {NodeJS.Signals | undefined} */
    let interruptedBy;
    /** @param {NodeJS.Signals} signal */
    const interrupt = (signal) => {
      interruptedBy = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, interrupt);
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.once("error", (error) => {
      for (const signal of SIGNALS) process.removeListener(signal, interrupt);
      reject(new SetupError(`${command} cannot be run: ${error.message}`));
    });
    child.once("close", (status, signal) => {
      for (const name of SIGNALS) process.removeListener(name, interrupt);
      if (interruptedBy !== undefined) reject(new Interrupted(interruptedBy));
      else if (status === 0) resolve(output);
      else {
        const how = signal ?? `exit status ${status}`;
        reject(new SetupError(`${command} failed with ${how}: its output is above`, output));
      }
    });
  });
}

/**
 * Does one step of the set-up, and says in one line what it is and how long it took.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 */
export async function step(what, work) {
  const start = performance.now();
  process.stderr.write(`bpfink: ${what} ...`);
  try {
    const result = await work();
    process.stderr.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(error instanceof Interrupted ? " interrupted\n" : " failed\n");
    throw error;
  }
}
