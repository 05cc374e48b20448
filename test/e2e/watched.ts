// What a running bpfink watches: entries of its watch map, or marks of fanotify.
import { ptr } from "bun:ffi";
import { closeSync, readdirSync, readFileSync } from "node:fs";
import { PATIENCE } from "./process.ts";
import { system, takeFd } from "./threads.ts";

// asm/unistd_64.h, linux/bpf.h
const BPF = 321;
const BPF_MAP_GET_NEXT_KEY = 4;

/** How many inodes. */
export function watched(pid: number): number {
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const info = fdinfo(pid, fd);
    if (info.includes("fanotify flags:"))
      return info.split("\n").filter((line) => line.startsWith("fanotify ino:")).length;
    if (/^map_type:\t1$/m.test(info) && /^key_size:\t16$/m.test(info)) return entries(pid, Number(fd));
  }
  throw new Error(`process ${pid} has neither a hash nor fanotify`);
}

/** Waits until there are so many; returns how many there were at last. */
export async function settlesAt(pid: number, count: number): Promise<number> {
  const deadline = performance.now() + PATIENCE;
  while (watched(pid) !== count && performance.now() < deadline) await Bun.sleep(100);
  return watched(pid);
}

function fdinfo(pid: number, fd: string): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8");
  } catch {
    return ""; // closed meanwhile
  }
}

function entries(pid: number, fd: number): number {
  const ours = takeFd(pid, fd);
  try {
    const key = new BigUint64Array(2);
    const next = new BigUint64Array(2);
    const keys = new Set<string>();
    for (let after = 0; ; after = ptr(key)) {
      const attributes = new BigUint64Array([BigInt(ours), BigInt(after), BigInt(ptr(next)), 0n]);
      try {
        system(BPF, BPF_MAP_GET_NEXT_KEY, attributes, attributes.byteLength);
      } catch {
        return keys.size; // that was the last
      }
      keys.add(next.join());
      key.set(next);
    }
  } finally {
    closeSync(ours);
  }
}
