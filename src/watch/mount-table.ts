import { closeSync, openSync, readFileSync } from "node:fs";
import { mountsChanged } from "../kernel/poll.ts";
import { pathText } from "../paths.ts";

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly id: number;
  /** What of the file system is mounted: "/" or, of a bind mount, a path in it. */
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly source: string;
}

export interface MountChanges {
  readonly added: readonly Mount[];
  readonly removed: readonly Mount[];
}

const MOUNTINFO = "/proc/self/mountinfo";

/** The mounts of our own mount namespace, and what becomes of them. */
export class MountTable implements Disposable {
  readonly #fd = openSync(MOUNTINFO, "r");
  #mounts: ReadonlyMap<string, Mount>;

  constructor() {
    mountsChanged(this.#fd); // from here on it tells
    this.#mounts = read();
  }

  /** What changed since the last call; undefined when nothing did. */
  changes(): MountChanges | undefined {
    if (!mountsChanged(this.#fd)) return undefined;
    const before = this.#mounts;
    this.#mounts = read();
    return difference(before, this.#mounts);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

const read = (): Map<string, Mount> => parseMounts(readFileSync(MOUNTINFO));

export function difference(before: ReadonlyMap<string, Mount>, after: ReadonlyMap<string, Mount>): MountChanges {
  const missingIn = (map: ReadonlyMap<string, Mount>, other: ReadonlyMap<string, Mount>) =>
    [...map].filter(([key]) => !other.has(key)).map(([, mount]) => mount);
  return { added: missingIn(after, before), removed: missingIn(before, after) };
}

/** By all that tells a mount from the one that gets its id later. Lines that cannot be read are left out. */
export function parseMounts(bytes: Uint8Array): Map<string, Mount> {
  const mounts = new Map<string, Mount>();
  for (const line of Buffer.from(bytes).toString("latin1").split("\n")) {
    const [id, , device, root, point, ...rest] = line.split(" ");
    const separator = rest.indexOf("-");
    const [type, source] = rest.slice(separator + 1);
    if (point === undefined || separator < 0 || type === undefined || source === undefined) continue;
    mounts.set(`${id} ${device} ${root} ${point}`, {
      id: Number(id),
      root: unescape(root!),
      point: unescape(point),
      type: unescape(type),
      source: unescape(source),
    });
  }
  return mounts;
}

/** Space, tab, newline and backslash are octal numbers there (seq_path in linux/fs/seq_file.c). */
function unescape(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return pathText(Buffer.from(bytes, "latin1"));
}
