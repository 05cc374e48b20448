import type { Pointer } from "bun:ffi";
import { existsSync } from "node:fs";
import { embeddedLibbpf, readBpfObject } from "./assets.ts";
import { btfName, type Form, type Hook, type HookSet, type MapName, MAPS, programName } from "./hooks.ts";
import { log } from "../log.ts";
import { cString } from "./libbpf.ts";
import { trimHeap } from "./libc.ts";
import { SkipCounter } from "./skips.ts";

/** A hook that is not attached, and why. */
export interface MissingHook {
  readonly hook: Hook;
  readonly reason: string;
}

/** Of one program, since it was loaded. */
export interface ProgramCounts {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
}

/** Another size than in bpf/: bytes of the ring, entries of the others. */
export type MapSizes = Partial<Readonly<Record<MapName, number>>>;

/** The kernel does not take the programs; `reason` fits in half a line. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/** There where perf_event_open(2) makes kprobes: Linux 4.17, e12f03d7031a ("perf/core: Implement the 'perf_kprobe' PMU"). */
const KPROBES = "/sys/bus/event_source/devices/kprobe";
/**
 * A function of kernels where every program may add to a map that is allocated as needed: Linux 6.1,
 * 34dd3bad1a6f ("bpf: Relax the requirement to use preallocated hash maps in tracing progs."). Before
 * it, a kprobe that does can deadlock, and the kernel warns of it.
 */
const ALLOCATOR = "bpf_mem_cache_alloc";
/** Inodes in a watch map that is allocated at once: 13 MB. */
const PREALLOCATED = 1 << 17;

/** The BPF object in the kernel, attached. Pointers stay inside. */
export class LoadedObject implements Disposable {
  readonly missing: readonly MissingHook[];
  readonly #object: Pointer;
  readonly #links: Pointer[];
  readonly #skips: SkipCounter;
  readonly #names: readonly string[];

  private constructor(
    object: Pointer,
    names: readonly string[],
    programs: readonly Pointer[],
    links: Pointer[],
    missing: readonly MissingHook[],
  ) {
    this.#object = object;
    this.#links = links;
    this.#names = names;
    this.#skips = new SkipCounter(programs, links);
    this.missing = missing;
  }

  /**
   * Loads the object that the executable carries, as far as the hooks need it in this form, and
   * attaches those that this kernel has. Throws LoadError if one that is required cannot be had.
   *
   * @param sizes of maps that are to have another size than in bpf/: bytes of the ring, entries of the others
   */
  static load({ hooks, maps }: HookSet, form: Form, sizes: MapSizes = {}): LoadedObject {
    // asked before the verifier goes through all programs, which takes seconds on a slow machine
    if (form === "kprobe" && !existsSync(KPROBES)) throw new LoadError("this kernel has no kprobes");
    const { libbpf } = embeddedLibbpf();
    return libbpf.withMessages((messages) => {
      using _ = { [Symbol.dispose]: () => messages.forEach((message) => log.debug(message)) };
      const attempt = <T>(what: string, work: () => T): T => {
        try {
          return work();
        } catch (error) {
          throw new LoadError(`${what}: ${reasonOf(error, messages)}`);
        }
      };
      const known = attempt("the kernel's type information (BTF) cannot be read", () =>
        libbpf.knownToKernel([ALLOCATOR, ...hooks.map(btfName)]),
      );
      const bytes = readBpfObject();
      const object = attempt("the BPF object cannot be opened", () =>
        libbpf.pointer("bpf_object__open_mem", libbpf.symbols.bpf_object__open_mem(bytes, bytes.length, null)),
      );
      const links: Pointer[] = [];
      try {
        const missing: MissingHook[] = [];
        for (const hook of hooks) {
          if (known.has(btfName(hook)) || hook.replaceable) continue;
          skip(missing, hook, "this kernel does not have it");
        }
        const present = hooks.filter((hook) => known.has(btfName(hook)));
        const programs = present.map((hook) => ({ hook, program: findProgram(object, programName(hook, form)) }));
        leaveOut(object, new Set(programs.map(({ program }) => program)), maps);
        for (const [name, size] of Object.entries(sizes)) resize(object, name as MapName, size);
        if (form === "kprobe" && !known.has(ALLOCATOR)) preallocate(object, "watches", sizes.watches);
        attempt("the kernel refuses the BPF programs", () =>
          libbpf.number("bpf_object__load", libbpf.symbols.bpf_object__load(object)),
        );
        for (const { hook, program } of programs) {
          try {
            links.push(libbpf.pointer("bpf_program__attach", libbpf.symbols.bpf_program__attach(program)));
          } catch (error) {
            skip(missing, hook, reasonOf(error, messages));
          }
        }
        return new LoadedObject(
          object,
          programs.map(({ hook }) => hook.name),
          programs.map(({ program }) => program),
          links,
          missing,
        );
      } catch (error) {
        release(object, links);
        throw error;
      } finally {
        trimHeap(); // the kernel's type information took 10 MB
      }
    });
  }

  /** The file descriptor of a map of the object, open as long as the object is. */
  mapFd(name: MapName): number {
    const { libbpf } = embeddedLibbpf();
    return libbpf.number(name, libbpf.symbols.bpf_object__find_map_fd_by_name(this.#object, cString(name)));
  }

  /** How often the kernel did not run a program that it should have, in all, as far as it tells (skips.ts). */
  skips(): bigint {
    return this.#skips.read();
  }

  /** How often each program ran, and was skipped (skips.ts). */
  programs(): ProgramCounts[] {
    return this.#skips.counts().map((counts, i) => ({ name: this.#names[i] ?? "", ...counts }));
  }

  /** Detaches the hooks and unloads the object. */
  [Symbol.dispose](): void {
    if (this.#links.length > 0) release(this.#object, this.#links);
  }
}

function findProgram(object: Pointer, name: string): Pointer {
  const { libbpf } = embeddedLibbpf();
  return libbpf.pointer(name, libbpf.symbols.bpf_object__find_program_by_name(object, cString(name)));
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

function skip(missing: MissingHook[], hook: Hook, reason: string): void {
  if (hook.required) throw new LoadError(`${hook.target} cannot be traced: ${reason}`);
  missing.push({ hook, reason });
}

function release(object: Pointer, links: Pointer[]): void {
  const { symbols } = embeddedLibbpf().libbpf;
  for (const link of links.splice(0)) symbols.bpf_link__destroy(link);
  symbols.bpf_object__close(object);
}

/** errno, and what libbpf or the verifier said about it. */
function reasonOf(error: unknown, messages: readonly string[]): string {
  const text = error instanceof Error ? error.message : String(error);
  const said = verdict(messages) ?? messages.find((message) => message.includes("failed:")) ?? messages.at(-1);
  return said === undefined ? text : `${text} (${said.replace(/^libbpf: /, "")})`;
}

/** The line on which the verifier gives up: the last one of its log before the statistics. */
function verdict(messages: readonly string[]): string | undefined {
  for (const message of messages) {
    const [, program, text] =
      /prog '([^']+)': -- BEGIN PROG LOAD LOG --\n([^]*)-- END PROG LOAD LOG --/.exec(message) ?? [];
    const lines =
      text
        ?.trim()
        .split("\n")
        .filter((line) => !line.startsWith("processed ")) ?? [];
    if (program !== undefined && lines.length > 0) return `${program}: ${lines.at(-1)}`;
  }
  return undefined;
}
