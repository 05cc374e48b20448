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
const SIZE = 4096n;

/** A shared mapping of a file that is not open any more. */
class Mapping implements Disposable {
  readonly bytes: Buffer;
  readonly #address: NonNullable<ReturnType<typeof c.mmap>>;

  constructor(path: string) {
    const fd = openSync(path, "r+");
    this.#address = c.mmap(null, SIZE, PROT, SHARED, fd, 0n)!;
    closeSync(fd);
    this.bytes = Buffer.from(toArrayBuffer(this.#address, 0, 4));
  }

  [Symbol.dispose](): void {
    c.munmap(this.#address, SIZE);
  }
}

test(
  "stores to a page that is dirty are found while the mapping lasts, and when it goes",
  async () => {
    using directory = new TemporaryDirectory();
    const [file, before] = [directory.write("file", "one\n"), directory.write("before", "one\n")];
    using older = new Mapping(before);
    older.bytes.write("two\n");
    await using bp = await Bpfink.start({ watch: [file, before] });
    if (bp.lines[0]?.backend === "fanotify") return; // which tells of mappings nothing at all (docs/kernel.md)
    older.bytes.write("six\n"); // nothing told of this mapping but the look at the start
    expect(await bp.nextChange(before)).toMatchObject({ add: { Content: ["six"] }, del: { Content: ["two"] } });
    {
      using mapping = new Mapping(file);
      mapping.bytes.write("two\n");
      expect(await bp.nextChange(file)).toMatchObject({ action: "modified", add: { Content: ["two"] } });
      mapping.bytes.write("six\n");
      expect(await bp.nextChange(file)).toMatchObject({ add: { Content: ["six"] }, process: { pid: process.pid } });
      mapping.bytes.write("ten\n");
    }
    expect(await bp.only(file)).toMatchObject({ add: { Content: ["ten"] }, del: { Content: ["six"] } });
  },
  SLOW,
);
