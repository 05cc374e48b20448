import type { Pointer } from "bun:ffi";
import { embeddedLibbpf } from "./assets.ts";
import { type MapName, MAPS } from "./hooks.ts";
import { cString } from "./libbpf.ts";

/** Another size than in bpf/: bytes of the ring, entries of the others. */
export type MapSizes = Partial<Readonly<Record<MapName, number>>>;

/** Inodes in a watch map that is allocated at once: 13 MB. */
const PREALLOCATED = 1 << 17;

/** What of an object goes into the kernel. */
export interface Parts {
  readonly programs: readonly string[];
  readonly maps: readonly MapName[];
  readonly sizes: MapSizes;
  /** Memory of the watch map is allocated at once. */
  readonly preallocated: boolean;
}

/** What of an object goes into the kernel a second time. */
export interface Renewal {
  readonly programs: readonly string[];
  readonly maps: readonly MapName[];
  /** The object whose maps they are. */
  readonly from: Pointer;
}

/**
 * Opens the object for one bpf_object__load: libbpf keeps what it changed in programs, and takes no second.
 *
 * @param bytes of the object, which stay as they are
 */
export function openObject(bytes: Uint8Array, parts: Parts | Renewal): Pointer {
  const { libbpf } = embeddedLibbpf();
  const object = libbpf.pointer("bpf_object__open_mem", libbpf.symbols.bpf_object__open_mem(bytes, bytes.length, null));
  try {
    leaveOut(object, new Set(parts.programs.map((name) => findProgram(object, name))), parts.maps);
    if ("from" in parts) {
      for (const name of parts.maps)
        libbpf.number(name, libbpf.symbols.bpf_map__reuse_fd(findMap(object, name), mapFd(parts.from, name)));
      return object;
    }
    for (const [name, size] of Object.entries(parts.sizes)) resize(object, name as MapName, size);
    if (parts.preallocated) preallocate(object, "watches", parts.sizes.watches);
    return object;
  } catch (error) {
    libbpf.symbols.bpf_object__close(object);
    throw error;
  }
}

export function findProgram(object: Pointer, name: string): Pointer {
  const { libbpf } = embeddedLibbpf();
  return libbpf.pointer(name, libbpf.symbols.bpf_object__find_program_by_name(object, cString(name)));
}

/** The file descriptor of a map of a loaded object, open as long as the object is. */
export function mapFd(object: Pointer, name: MapName): number {
  const { libbpf } = embeddedLibbpf();
  return libbpf.number(name, libbpf.symbols.bpf_object__find_map_fd_by_name(object, cString(name)));
}

/** Keeps libbpf from loading the other programs and making the other maps. */
function leaveOut(object: Pointer, programs: ReadonlySet<Pointer>, maps: readonly MapName[]): void {
  const { symbols } = embeddedLibbpf().libbpf;
  for (let at = nextProgram(object, null); at !== null; at = nextProgram(object, at)) {
    if (!programs.has(at)) symbols.bpf_program__set_autoload(at, false);
  }
  for (const name of MAPS) {
    if (maps.includes(name)) continue;
    symbols.bpf_map__set_autocreate(findMap(object, name), false);
  }
}

function resize(object: Pointer, name: MapName, entries: number): void {
  const { libbpf } = embeddedLibbpf();
  libbpf.number(name, libbpf.symbols.bpf_map__set_max_entries(findMap(object, name), entries));
}

function preallocate(object: Pointer, name: MapName, entries = PREALLOCATED): void {
  const { libbpf } = embeddedLibbpf();
  libbpf.number(name, libbpf.symbols.bpf_map__set_map_flags(findMap(object, name), 0));
  resize(object, name, Math.min(entries, PREALLOCATED));
}

function findMap(object: Pointer, name: MapName): Pointer {
  const { libbpf } = embeddedLibbpf();
  return libbpf.pointer(name, libbpf.symbols.bpf_object__find_map_by_name(object, cString(name)));
}

function nextProgram(object: Pointer, after: Pointer | null): Pointer | null {
  const next = embeddedLibbpf().libbpf.symbols.bpf_object__next_program(object, after);
  return next === null ? null : (Number(next) as Pointer);
}
