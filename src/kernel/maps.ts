import { embeddedLibbpf } from "./assets.ts";

/** The watch map (bpf/watch.bpf.h): which inodes the hooks report. */
export class WatchMap {
  readonly #fd: number;
  /** struct watch_key: inode, device. */
  readonly #key = new BigUint64Array(2);
  /** struct watch: flags, last writer, and when it wrote. */
  readonly #value = new Uint32Array(4);

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Adds or replaces. Throws SystemError: E2BIG when the map is full, ENOMEM. */
  set(device: number, inode: bigint, flags: number): void {
    const { libbpf } = embeddedLibbpf();
    this.#setKey(device, inode);
    this.#value[0] = flags;
    libbpf.number("bpf_map_update_elem", libbpf.symbols.bpf_map_update_elem(this.#fd, this.#key, this.#value, 0n));
  }

  /** Removes; what is not there is not an error. */
  delete(device: number, inode: bigint): void {
    this.#setKey(device, inode);
    embeddedLibbpf().libbpf.symbols.bpf_map_delete_elem(this.#fd, this.#key);
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

/** A hash from a process id to what the kernel kept of the process (bpf/processes.bpf.h). */
export class ProcessMap {
  readonly #fd: number;
  readonly #key = new Uint32Array(1);
  readonly #value: Uint8Array;

  /** @param valueSize of struct actor, in bytes */
  constructor(fd: number, valueSize: number) {
    this.#fd = fd;
    this.#value = new Uint8Array(valueSize);
  }

  /** A struct actor; it is good until the next call. */
  get(pid: number): Uint8Array | undefined {
    this.#key[0] = pid;
    const found = embeddedLibbpf().libbpf.symbols.bpf_map_lookup_elem(this.#fd, this.#key, this.#value);
    return found === 0 ? this.#value : undefined;
  }
}
