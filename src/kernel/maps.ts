import { type Pointer, read, toArrayBuffer } from "bun:ffi";
import { embeddedLibbpf } from "./assets.ts";
import { mapShared } from "./libc.ts";

/** FILTER_BITS of bpf/watch.bpf.h. */
const FILTER_BITS = 20;

/** Where the filter has a key: filter_slot() of bpf/watch.bpf.h is the same. */
const slotOf = (device: number, inode: bigint): number =>
  Math.imul(Number(inode & 0xffff_ffffn) ^ Math.imul(device, 0x85eb_ca6b), 0x9e37_79b1) >>> (32 - FILTER_BITS);

/** The watch map (bpf/watch.bpf.h): which inodes the hooks report; and the filter before it. */
export class WatchMap {
  readonly #fd: number;
  /** Shared with the kernel. */
  readonly #filter: Uint8Array;
  /** struct watch_key: inode, device. */
  readonly #key = new BigUint64Array(2);
  /** struct watch: flags, last writer, and when it wrote. */
  readonly #value = new Uint32Array(4);
  readonly #found = new Uint32Array(4);

  /** Where walk() is. */
  readonly #at = new BigUint64Array(2);
  readonly #next = new BigUint64Array(2);
  #isWalking = false;

  constructor(fd: number, filterFd: number) {
    this.#fd = fd;
    const bytes = 1 << FILTER_BITS;
    this.#filter = new Uint8Array(toArrayBuffer(mapShared(filterFd, 0, bytes, "writable"), 0, bytes));
  }

  /** Adds or replaces. Throws SystemError: E2BIG when the map is full, ENOMEM. */
  set(device: number, inode: bigint, flags: number): void {
    const { libbpf } = embeddedLibbpf();
    this.#setKey(device, inode);
    this.#value[0] = flags;
    this.#filter[slotOf(device, inode)] = 1; // before the key is there
    libbpf.number("bpf_map_update_elem", libbpf.symbols.bpf_map_update_elem(this.#fd, this.#key, this.#value, 0n));
  }

  /** The flags of an inode; undefined if it is not there. */
  get(device: number, inode: bigint): number | undefined {
    this.#setKey(device, inode);
    const found = embeddedLibbpf().libbpf.symbols.bpf_map_lookup_elem(this.#fd, this.#key, this.#found);
    return found === 0 ? this.#found[0] : undefined;
  }

  /** Removes; what is not there is not an error. */
  delete(device: number, inode: bigint): void {
    this.#setKey(device, inode);
    embeddedLibbpf().libbpf.symbols.bpf_map_delete_elem(this.#fd, this.#key);
  }

  /**
   * Goes on through all entries: the next `count` of them, from the first again after the last.
   *
   * @param take is called with each; it may remove it
   * @returns whether the last was reached
   */
  walk(count: number, take: (device: number, inode: bigint) => void): boolean {
    const { symbols } = embeddedLibbpf().libbpf;
    for (let i = 0; i < count; i++) {
      const after = this.#isWalking ? this.#at : null;
      // a key that is gone meanwhile has the first for its next: some come twice then, and none is left out
      this.#isWalking = symbols.bpf_map_get_next_key(this.#fd, after, this.#next) === 0;
      if (!this.#isWalking) return true;
      this.#at.set(this.#next);
      take(Number(this.#at[1]), this.#at[0]!);
    }
    return false;
  }

  #setKey(device: number, inode: bigint): void {
    this.#key[0] = inode;
    this.#key[1] = BigInt(device);
  }
}

/** A per-CPU array of one counter (bpf/bpfink.bpf.c: lost). */
export class Counter {
  readonly #fd: number;
  readonly #key = new Uint32Array(1);
  readonly #values: BigUint64Array;

  constructor(fd: number) {
    const { libbpf } = embeddedLibbpf();
    this.#fd = fd;
    this.#values = new BigUint64Array(
      libbpf.number("libbpf_num_possible_cpus", libbpf.symbols.libbpf_num_possible_cpus()),
    );
  }

  /** The sum over all CPUs. */
  read(): bigint {
    const { libbpf } = embeddedLibbpf();
    libbpf.number("bpf_map_lookup_elem", libbpf.symbols.bpf_map_lookup_elem(this.#fd, this.#key, this.#values));
    return this.#values.reduce((sum, value) => sum + value, 0n);
  }
}

/** The one answer to the monitor's last open(2) (bpf/opened.bpf.h), shared with the kernel. */
export class OpenedSlot {
  readonly #value: Uint8Array;
  readonly #empty: Uint8Array;

  /** @param empty a struct opened that says who asks, and no more */
  constructor(fd: number, empty: Uint8Array) {
    this.#value = new Uint8Array(toArrayBuffer(mapShared(fd, 0, empty.length, "writable"), 0, empty.length));
    this.#empty = empty;
    this.#value.set(empty);
  }

  /** A struct opened. It is given once: what is left unanswered has no answer, and not the one before. */
  take(): Uint8Array {
    const taken = this.#value.slice();
    this.#value.set(this.#empty);
    return taken;
  }
}

/** A ring buffer, as its reader sees it (kernel/bpf/ringbuf.c). Read only. */
export class RingPosition {
  readonly #producer: Pointer;

  constructor(fd: number) {
    // one page for the consumer's position, one for the producer's, then the records
    this.#producer = mapShared(fd, 1, 8, "readable");
  }

  /** Bytes that were ever reserved for records. */
  get produced(): number {
    return Number(read.u64(this.#producer));
  }

  /** Bytes that a record of so many takes in the ring: it has a header of 8, and begins at a multiple of 8. */
  static sizeOf(bytes: number): number {
    return 8 + Math.ceil(bytes / 8) * 8;
  }
}

/** A map from a number to a struct. */
export class RecordMap {
  readonly #fd: number;
  readonly #key = new Uint32Array(1);
  readonly #value: Uint8Array;

  /** @param valueSize of the struct, in bytes */
  constructor(fd: number, valueSize: number) {
    this.#fd = fd;
    this.#value = new Uint8Array(valueSize);
  }

  /** What is there; it is good until the next call. */
  get(key: number): Uint8Array | undefined {
    this.#key[0] = key;
    const found = embeddedLibbpf().libbpf.symbols.bpf_map_lookup_elem(this.#fd, this.#key, this.#value);
    return found === 0 ? this.#value : undefined;
  }

  /** Adds or replaces. */
  set(key: number, value: Uint8Array): void {
    const { libbpf } = embeddedLibbpf();
    this.#key[0] = key;
    libbpf.number("bpf_map_update_elem", libbpf.symbols.bpf_map_update_elem(this.#fd, this.#key, value, 0n));
  }
}
