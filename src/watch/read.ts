import { readlinkSync } from "node:fs";
import { statx } from "../kernel/libc.ts";
import { pathBytes, pathText } from "../paths.ts";
import { beginLook } from "./look.ts";
import { Reading } from "./reading.ts";
import { type Walk, walk } from "./walk.ts";

/** Where a path below the root leads; symbolic links stay below it. */
export function resolveBelow(root: string, path: string): Walk["end"] {
  const readlink = (link: string) => pathText(readlinkSync(pathBytes(link), { encoding: "buffer" }));
  return walk({ statx, readlink }, root, path).end;
}

/** The content of a file below the root; undefined for none, one that cannot be read, or is longer than the limit, which is not read to its end. */
export function readBelow(root: string, path: string, limit: number): Uint8Array | undefined {
  try {
    const end = resolveBelow(root, path);
    const found = end && beginLook(end.path, limit);
    if (!(found instanceof Reading)) return undefined;
    using reading = found;
    return reading.read(limit + 1)?.content;
  } catch {
    return undefined; // its own look says why
  }
}
