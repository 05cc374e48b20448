import { dlopen } from "bun:ffi";
import { readFileSync, readlinkSync } from "node:fs";

const { symbols: c } = dlopen("libc.so.6", {
  madvise: {
    args: ["u64" /* void *addr */, "u64" /* size_t length */, "i32" /* int advice */],
    returns: "i32",
  },
});

/** <sys/mman.h> */
const MADV_DONTNEED = 4;
/** A mapping in proc_pid_maps(5) that is run and never written. */
const CODE = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \S+ +(.*)$/gm;

/**
 * Gives back the pages of the executable's code, of which the start needed many that nothing needs later: what is run
 * again comes out of the page cache. Of 36 MB it is half.
 */
export function forgetCode(): void {
  const executable = readlinkSync("/proc/self/exe");
  for (const [, begin, end, file] of readFileSync("/proc/self/maps", "utf8").matchAll(CODE)) {
    const [from, to] = [BigInt(`0x${begin}`), BigInt(`0x${end}`)];
    if (file === executable) c.madvise(from, to - from, MADV_DONTNEED);
  }
}
