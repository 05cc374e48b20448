import { closeSync, readdirSync } from "node:fs";
import { fstatfs, openPath } from "../kernel/libc.ts";
import { pathBytes, pathText } from "../paths.ts";

/**
 * File systems that show the kernel and hold no files: reading all of them never ends (/proc/kcore),
 * blocks, or mounts something. f_type of statfs(2); linux/magic.h.
 */
const PSEUDO = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xf97cff8c, // selinuxfs
  0xcafe4a11, // bpf
  0x1cd1, // devpts
  0x19800202, // mqueue
  0x958458f6, // hugetlbfs
  0x42494e4d, // binfmt_misc
  0x62656570, // configfs
  0x65735543, // fusectl
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x6e736673, // nsfs
  0x187, // autofs
]);

/**
 * Names in a directory. None if it is gone by now, which its own event will say, and none in a file
 * system that is not there to hold files.
 */
export function membersOf(path: string): string[] {
  if (isPseudo(path)) return [];
  try {
    return readdirSync(pathBytes(path), { encoding: "buffer" }).map(pathText);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

function isPseudo(path: string): boolean {
  const fd = openPath(path);
  if (fd === undefined) return false;
  try {
    return PSEUDO.has(fstatfs(fd).type);
  } finally {
    closeSync(fd);
  }
}
