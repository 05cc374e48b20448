import { readdirSync, readlinkSync } from "node:fs";
import { statx } from "../kernel/libc.ts";
import { joinPath } from "../paths.ts";
import { lookAt } from "./look.ts";
import { walk } from "./walk.ts";

/** Files of pam.d(5) have a few lines; what is longer than this, in bytes, is none. */
const SIZE_LIMIT = 1 << 16;

/** The texts of all services in pam.d(5) below the root, in order of their names; none that cannot be read. */
export function pamServices(root: string): string[] {
  const directory = joinPath(root, "etc/pam.d");
  return (attempt(() => readdirSync(directory)) ?? []).sort().flatMap((name) => {
    const text = attempt(() => read(root, `/etc/pam.d/${name}`));
    return text === undefined ? [] : [text];
  });
}

function read(root: string, path: string): string | undefined {
  const { end } = walk({ statx, readlink: (link) => readlinkSync(link) }, root, path);
  const look = end && lookAt(end.path, SIZE_LIMIT);
  return look?.type === "file" && look.content !== undefined ? new TextDecoder().decode(look.content) : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // pam_access itself would run with its defaults
  }
}
