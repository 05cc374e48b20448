import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A file system that writes nothing back: beside fanotify nothing but the queue tells of writes there. */
export const MEMORY_FILES = "/dev/shm";

/** A directory that goes with the test. Others may enter it. */
export class TemporaryDirectory implements Disposable {
  readonly path: string;

  constructor(parent = tmpdir()) {
    this.path = mkdtempSync(join(parent, "bpfink-e2e-"));
    chmodSync(this.path, 0o755);
  }

  /** The path of what is, or will be, in it. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file, the directories to it too. Returns its path. */
  write(name: string, content: string | Uint8Array = "", mode = 0o644): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode); // whatever the umask
    return path;
  }

  /** Makes a directory, and those to it. Returns its path. */
  directory(name: string): string {
    const path = this.at(name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
