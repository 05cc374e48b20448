import type { Pointer } from "bun:ffi";
import { readlinkSync } from "node:fs";
import { embeddedLibbpf } from "./assets.ts";

/** struct bpf_link_info: type, id, prog_id (linux/bpf.h). */
const LINK_INFO_SIZE = 56;
const ID = 4;

interface Attached {
  readonly name: string;
  readonly program: Pointer;
  readonly link: Pointer;
  readonly fd: number;
  /** What the descriptor was when it was made. */
  readonly file: string;
}

/** A program that was found detached. */
export interface Detached {
  readonly name: string;
  /** Whether it could be attached again. */
  readonly isBack: boolean;
}

/**
 * Attached programs. What holds each of them is a file descriptor and nothing else: the kernel detaches none for others,
 * but whoever may trace this process can have it close one (ptrace(2)), and nobody is told.
 */
export class Links {
  readonly #attached: Attached[] = [];

  /** Throws SystemError where the kernel does not attach it. */
  attach(name: string, program: Pointer): void {
    this.#attached.push(attach(name, program));
  }

  get pointers(): readonly Pointer[] {
    return this.#attached.map(({ link }) => link);
  }

  /**
   * Attaches again what is no longer attached, and says what that was.
   *
   * @param renew loads programs anew: before Linux 5.13 no trampoline can be attached twice
   */
  mend(renew: (names: readonly string[]) => ReadonlyMap<string, Pointer>): Detached[] {
    // all are looked at before a new one can get the number of an old one
    const lost = this.#attached.filter(({ fd, file }) => fileOf(fd) !== file);
    const stuck = lost.filter((old) => !this.#reattach(old, old.program)).map(({ name }) => name);
    const renewed = stuck.length === 0 ? new Map<string, Pointer>() : renew(stuck);
    return lost.map((old) => {
      const program = renewed.get(old.name);
      const isBack = !stuck.includes(old.name) || (program !== undefined && this.#reattach(old, program));
      return { name: old.name, isBack };
    });
  }

  #reattach(old: Attached, program: Pointer): boolean {
    const { symbols } = embeddedLibbpf().libbpf;
    try {
      this.#attached[this.#attached.indexOf(old)] = attach(old.name, program);
    } catch {
      return false;
    }
    // frees it, and does not close what is another's descriptor by now
    symbols.bpf_link__disconnect(old.link);
    symbols.bpf_link__destroy(old.link);
    return true;
  }

  /** Detaches all. */
  destroy(): void {
    const { symbols } = embeddedLibbpf().libbpf;
    for (const { link } of this.#attached.splice(0)) symbols.bpf_link__destroy(link);
  }
}

function attach(name: string, program: Pointer): Attached {
  const { libbpf } = embeddedLibbpf();
  const link = libbpf.pointer("bpf_program__attach", libbpf.symbols.bpf_program__attach(program));
  const fd = libbpf.symbols.bpf_link__fd(link);
  return { name, program, link, fd, file: fileOf(fd) };
}

/** Which link a descriptor is; before Linux 5.15 a kprobe has none, but a perf event, and one is like another. */
function fileOf(fd: number): string {
  const info = new Uint8Array(LINK_INFO_SIZE);
  const { symbols } = embeddedLibbpf().libbpf;
  try {
    const file = readlinkSync(`/proc/self/fd/${fd}`);
    const isLink = symbols.bpf_obj_get_info_by_fd(fd, info, Uint32Array.of(info.length)) === 0;
    return isLink ? `${file} ${new DataView(info.buffer).getUint32(ID, true)}` : file;
  } catch {
    return "closed";
  }
}
