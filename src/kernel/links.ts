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

  /** Attaches again what is no longer attached, and says what that was. Before Linux 5.13 trampolines stay detached. */
  mend(): Detached[] {
    const { symbols } = embeddedLibbpf().libbpf;
    // all are looked at before a new one can get the number of an old one
    const lost = this.#attached.filter(({ fd, file }) => fileOf(fd) !== file);
    return lost.map((old) => {
      const { name, program, link } = old;
      try {
        this.#attached[this.#attached.indexOf(old)] = attach(name, program);
      } catch {
        return { name, isBack: false };
      }
      // frees it, and does not close what is another's descriptor by now
      symbols.bpf_link__disconnect(link);
      symbols.bpf_link__destroy(link);
      return { name, isBack: true };
    });
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
