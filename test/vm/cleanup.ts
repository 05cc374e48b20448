import { mkdtempSync, readdirSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What has to be undone when the harness ends before its time. */
const pending = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function undoAll(): void {
  for (const undo of pending) undo();
  pending.clear();
}

function onSignal(signal: NodeJS.Signals): void {
  undoAll();
  unlisten();
  process.kill(process.pid, signal);
}

function unlisten(): void {
  process.off("exit", undoAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Calls `undo` (synchronous) once: when disposed, or when the process exits or is told to end.
 * The signal handlers are installed only while something is pending.
 */
export function undoOnExit(undo: () => void): Disposable {
  if (pending.size === 0) {
    process.on("exit", undoAll);
    for (const signal of signals) process.on(signal, onSignal);
  }
  pending.add(undo);
  return {
    [Symbol.dispose]() {
      if (!pending.delete(undo)) return;
      if (pending.size === 0) unlisten();
      undo();
    },
  };
}

const prefix = "bpfink-vm-";

/** Removes what a harness left behind that was killed with SIGKILL: its process id is in the directory's name. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^bpfink-vm-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

/** A directory that is gone when disposed, and when the harness ends in whatever way. */
export function temporaryDirectory(): Disposable & { path: string } {
  sweep();
  const path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  const held = undoOnExit(() => rmSync(path, { recursive: true, force: true }));
  return { path, [Symbol.dispose]: () => held[Symbol.dispose]() };
}
