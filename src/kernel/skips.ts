import type { Pointer } from "bun:ffi";
import { embeddedLibbpf } from "./assets.ts";

/** struct bpf_prog_info up to and with recursion_misses (linux/bpf.h). */
const PROG_INFO_SIZE = 216;
const RUN_COUNT = 200;
const RECURSION_MISSES = 208;

/** struct bpf_link_info up to and with perf_event.kprobe.missed (linux/bpf.h). */
const LINK_INFO_SIZE = 56;
const LINK_TYPE = 0;
const PERF_EVENT_TYPE = 16;
const KPROBE_MISSED = 48;
/** BPF_LINK_TYPE_PERF_EVENT. */
const LINK_PERF_EVENT = 7;
/** BPF_PERF_EVENT_KPROBE. */
const PERF_EVENT_KPROBE = 3;

/**
 * How often the kernel did not run a program that it should have: each time an event may have been
 * lost. Counted are
 *
 * - recursion_misses of a program. Of trampolines since 5.12, 9ed9e9ba2337 ("bpf: Count the number of
 *   times recursion was prevented"); of kprobes since 6.7, dd8657894c11 ("bpf: Count missed stats in
 *   trace_call_bpf"). Before that it is 0.
 * - hits that a kprobe missed, since 6.7, 3acf8ace6823 ("bpf: Add missed value to kprobe perf link
 *   info"). An older kernel does not fill it, or has no link to ask.
 */
export class SkipCounter {
  readonly #programs: readonly number[];
  readonly #links: readonly number[];
  readonly #info = new Uint8Array(PROG_INFO_SIZE);
  readonly #view = new DataView(this.#info.buffer);
  readonly #length = new Uint32Array(1);

  constructor(programs: readonly Pointer[], links: readonly Pointer[]) {
    const { symbols } = embeddedLibbpf().libbpf;
    this.#programs = programs.map((program) => symbols.bpf_program__fd(program));
    this.#links = links.map((link) => symbols.bpf_link__fd(link)).filter((fd) => this.#isKprobeLink(fd));
  }

  /** The sum over all programs. */
  read(): bigint {
    const { libbpf } = embeddedLibbpf();
    let sum = 0n;
    for (const fd of this.#programs) {
      libbpf.number("bpf_obj_get_info_by_fd", this.#read(fd, PROG_INFO_SIZE));
      sum += this.#view.getBigUint64(RECURSION_MISSES, true);
    }
    for (const fd of this.#links) {
      if (this.#read(fd, LINK_INFO_SIZE) === 0) sum += this.#view.getBigUint64(KPROBE_MISSED, true);
    }
    return sum;
  }

  /**
   * Of each program, in their order: how often it ran, which the kernel counts only with the sysctl
   * kernel.bpf_stats_enabled (0 without), and how often it was skipped.
   */
  counts(): { readonly hits: number; readonly misses: number }[] {
    return this.#programs.map((fd) => {
      embeddedLibbpf().libbpf.number("bpf_obj_get_info_by_fd", this.#read(fd, PROG_INFO_SIZE));
      const at = (offset: number) => Number(this.#view.getBigUint64(offset, true));
      return { hits: at(RUN_COUNT), misses: at(RECURSION_MISSES) };
    });
  }

  #isKprobeLink(fd: number): boolean {
    return (
      this.#read(fd, LINK_INFO_SIZE) === 0 &&
      this.#view.getUint32(LINK_TYPE, true) === LINK_PERF_EVENT &&
      this.#view.getUint32(PERF_EVENT_TYPE, true) === PERF_EVENT_KPROBE
    );
  }

  #read(fd: number, size: number): number {
    this.#info.fill(0); // pointers in it are requests
    this.#length[0] = size;
    return embeddedLibbpf().libbpf.symbols.bpf_obj_get_info_by_fd(fd, this.#info, this.#length);
  }
}
