import type { Pointer } from "bun:ffi";
import { embeddedLibbpf } from "./assets.ts";

/** struct bpf_prog_info up to and with recursion_misses (linux/bpf.h). */
const INFO_SIZE = 216;
const RECURSION_MISSES = 208;

/**
 * recursion_misses of programs: Linux 5.12, 9ed9e9ba2337 ("bpf: Count the number of times recursion
 * was prevented"). Before that the count is 0, and so it was on the kernels measured, which were not
 * preemptible.
 */
export class SkipCounter {
  readonly #fds: readonly number[];
  readonly #info = new Uint8Array(INFO_SIZE);
  readonly #view = new DataView(this.#info.buffer);
  readonly #length = new Uint32Array(1);

  constructor(programs: readonly Pointer[]) {
    const { symbols } = embeddedLibbpf().libbpf;
    this.#fds = programs.map((program) => symbols.bpf_program__fd(program));
  }

  /** The sum over all programs. */
  read(): bigint {
    const { libbpf } = embeddedLibbpf();
    return this.#fds.reduce((sum, fd) => {
      this.#info.fill(0); // pointers in it are requests
      this.#length[0] = INFO_SIZE;
      libbpf.number("bpf_obj_get_info_by_fd", libbpf.symbols.bpf_obj_get_info_by_fd(fd, this.#info, this.#length));
      return sum + this.#view.getBigUint64(RECURSION_MISSES, true);
    }, 0n);
  }
}
