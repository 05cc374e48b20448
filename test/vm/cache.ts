import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/** Where kernels and root file systems are kept: $BPFINK_CACHE, $XDG_CACHE_HOME/bpfink, or /var/cache/bpfink (~/.cache/bpfink without root). */
export function cacheDirectory(): string {
  const { BPFINK_CACHE, XDG_CACHE_HOME } = process.env;
  if (BPFINK_CACHE) return BPFINK_CACHE;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "bpfink");
  return process.getuid?.() === 0 ? "/var/cache/bpfink" : join(homedir(), ".cache", "bpfink");
}

/**
 * Runs `work` while holding the lock file `path`, alone among all harness processes of this machine.
 *
 * flock(1) holds the lock for as long as its stdin is open, so it is free again when this process dies, however it dies.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = Bun.spawn(["flock", "--exclusive", path, "sh", "-c", "echo held; cat"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const reader = holder.stdout.getReader();
    const { done } = await reader.read();
    if (done) throw new Error(`cannot lock ${path}`);
    return await work();
  } finally {
    await holder.stdin.end();
    await holder.exited;
  }
}

/**
 * Makes the directory `path` appear whole or not at all: `fill` writes to a sibling, which is then renamed.
 * The caller holds the lock for `path`, which must not exist.
 */
export async function publishDirectory(path: string, fill: (staging: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const staging = mkdtempSync(join(dirname(path), `.${basename(path)}-`));
  try {
    await fill(staging);
    renameSync(staging, path);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
