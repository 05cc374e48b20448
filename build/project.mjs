// Where things are in the repository, and the one way in which the scripts here talk to people.

import { fileURLToPath } from "node:url";
import { join } from "node:path";

/** The repository's root, without a trailing slash. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** What is built; nothing else is in it but the stamp, the lock and work in progress. */
export const DIST = join(ROOT, "dist");

/** The executable that `npm start` runs and `npm test` tests. */
export const EXECUTABLE = join(DIST, "bpfink");

/** The bun that package.json pins. */
export const BUN = join(ROOT, "node_modules/.bin/bun");

/** The same exit status as bpfink's own for "cannot watch". */
export const EXIT_CANNOT_WATCH = 3;

/** An error whose message, one line with a remedy, is all that people need to see, after the output of what failed. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} [output]
   */
  constructor(message, output = "") {
    super(message);
    this.output = output;
  }
}

/** A signal came during a step: clean up, then end by it. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}

/**
 * Writes one line on stderr. Stdout belongs to bpfink's JSON lines and to the test result.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`bpfink: ${line}\n`);
}

/**
 * Ends the process unless it runs as root.
 * @param {string} command what the user typed, for the remedy
 */
export function requireRoot(command) {
  if (process.getuid?.() === 0) return;
  say(`${command} needs root, for eBPF and for apt-get: run it as root, or with sudo`);
  process.exit(EXIT_CANNOT_WATCH);
}

/**
 * Runs an entry point; a SetupError becomes its one line and exit status 1, a signal the end by that signal.
 * @param {() => Promise<void>} main
 */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.kill(process.pid, error.signal);
      return;
    }
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(error.output);
    say(error.message);
    process.exit(1);
  }
}
