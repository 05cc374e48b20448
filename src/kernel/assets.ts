import { readFileSync } from "node:fs";
import objectPath from "../../dist/bpfink.bpf.o" with { type: "file" };
import libraryPath from "../../dist/libbpf.so" with { type: "file" };
import { memfdFromBytes } from "./libc.ts";
import { type Libbpf, openLibbpf } from "./libbpf.ts";

/** The BPF object that the executable carries. */
export const readBpfObject = (): Uint8Array => readFileSync(objectPath);

let library: { readonly libbpf: Libbpf; readonly path: string } | undefined;

/**
 * The libbpf that the executable carries. It goes through a memfd, which stays open as long as the
 * process lives: nothing is written to a disk, so nobody can swap it, and /tmp may be noexec.
 */
export function embeddedLibbpf(): { readonly libbpf: Libbpf; readonly path: string } {
  if (library === undefined) {
    const path = `/proc/self/fd/${memfdFromBytes("libbpf.so", readFileSync(libraryPath))}`;
    library = { libbpf: openLibbpf(path), path };
  }
  return library;
}

/**
 * Where ring.worker.ts is. In the executable every module has the address of the executable, and
 * entry points keep their place below src/.
 */
export function ringWorkerUrl(): URL {
  const inExecutable = import.meta.url.startsWith("file:///$bunfs/");
  return new URL(inExecutable ? "./kernel/ring.worker.ts" : "./ring.worker.ts", import.meta.url);
}
