// Stores through a shared mapping, which no hook tells of once the page is dirty.
import { dlopen, toArrayBuffer } from "bun:ffi";
import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { SLOW } from "./process.ts";

const { symbols: c } = dlopen("libc.so.6", {
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
  munmap: { args: ["ptr", "u64"], returns: "i32" },
});
/** PROT_READ | PROT_WRITE, MAP_SHARED; <sys/mman.h>. */
const [PROT, SHARED] = [3, 1];

test(
  "stores to a page that is dirty are found while the mapping lasts, and when it goes",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "one\n");
    await using bp = await Bpfink.start({ watch: [file] });
    if (bp.lines[0]?.backend === "fanotify") return; // which tells of mappings nothing at all (docs/kernel.md)
    const fd = openSync(file, "r+");
    const address = c.mmap(null, 4096n, PROT, SHARED, fd, 0n)!;
    closeSync(fd);
    const bytes = Buffer.from(toArrayBuffer(address, 0, 4));
    bytes.write("two\n");
    expect(await bp.nextChange(file)).toMatchObject({ action: "modified", add: { Content: ["two"] } });
    bytes.write("six\n");
    expect(await bp.nextChange(file)).toMatchObject({ add: { Content: ["six"] }, process: { pid: process.pid } });
    bytes.write("ten\n");
    c.munmap(address, 4096n);
    expect(await bp.only(file)).toMatchObject({ add: { Content: ["ten"] }, del: { Content: ["six"] } });
  },
  SLOW,
);
