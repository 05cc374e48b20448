import { dlopen } from "bun:ffi";
import { pathText } from "../paths.ts";
import { SystemError } from "./errno.ts";
import { cString, unwrap } from "./libc.ts";

const { symbols: c } = dlopen("libc.so.6", {
  llistxattr: { args: ["ptr" /* const char *path */, "ptr" /* char *list */, "u64" /* size_t size */], returns: "i64" },
  flistxattr: { args: ["i32" /* int fd */, "ptr" /* char *list */, "u64" /* size_t size */], returns: "i64" },
  lgetxattr: {
    args: [
      "ptr" /* const char *path */,
      "ptr" /* const char *name */,
      "ptr" /* void *value */,
      "u64" /* size_t size */,
    ],
    returns: "i64",
  },
  fgetxattr: {
    args: ["i32" /* int fd */, "ptr" /* const char *name */, "ptr" /* void *value */, "u64" /* size_t size */],
    returns: "i64",
  },
});

/** XATTR_LIST_MAX and XATTR_SIZE_MAX, <linux/limits.h>: no list and no value is longer, in bytes. */
const MOST = 1 << 16;
const buffer = new Uint8Array(MOST);

/**
 * The extended attributes of a path (never followed) or an open file, xattr(7), ordered by name.
 * None where the file system has none; without those that are gone or may not be read.
 */
export function xattrs(target: string | number): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of names(target)) {
    const value = attempt("getxattr", () =>
      typeof target === "number"
        ? c.fgetxattr(target, terminated(name), buffer, MOST)
        : c.lgetxattr(cString(target), terminated(name), buffer, MOST),
    );
    if (value !== undefined) found.set(pathText(name), value);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function names(target: string | number): Uint8Array[] {
  const list = attempt("listxattr", () =>
    typeof target === "number" ? c.flistxattr(target, buffer, MOST) : c.llistxattr(cString(target), buffer, MOST),
  );
  const all: Uint8Array[] = [];
  for (let start = 0, end = 0; list !== undefined && (end = list.indexOf(0, start)) >= 0; start = end + 1) {
    all.push(list.subarray(start, end));
  }
  return all;
}

const terminated = (name: Uint8Array): Uint8Array => Buffer.concat([name, Buffer.of(0)]);

/** What the call left in the buffer; undefined when it failed: what a file is besides can still be told. */
function attempt(name: string, call: () => number | bigint): Uint8Array | undefined {
  try {
    return buffer.slice(0, unwrap(name, Number(call())));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
