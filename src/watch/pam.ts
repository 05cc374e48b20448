import { readdirSync } from "node:fs";
import { joinPath } from "../paths.ts";
import { readBelow } from "./read.ts";

/** Files of pam.d(5) have a few lines; what is longer than this, in bytes, is none. */
const SIZE_LIMIT = 1 << 16;

/** A file of pam.d(5). */
export const PAM_SERVICE = /^\/etc\/pam\.d\/[^/]+$/;

/** The texts of all services in pam.d(5) below the root, in order of their names; none that cannot be read. */
export function pamServices(root: string): string[] {
  const directory = joinPath(root, "etc/pam.d");
  return (attempt(() => readdirSync(directory)) ?? []).sort().flatMap((name) => {
    const content = readBelow(root, `/etc/pam.d/${name}`, SIZE_LIMIT);
    return content === undefined ? [] : [new TextDecoder().decode(content)];
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // pam_access itself would run with its defaults
  }
}
