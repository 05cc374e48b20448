import type { Pointer } from "bun:ffi";
import { existsSync } from "node:fs";
import { embeddedLibbpf, readBpfObject } from "./assets.ts";
import { btfName, type Form, type Hook, type HookSet, type MapName, programName } from "./hooks.ts";
import { log } from "../log.ts";
import { type Detached, Links } from "./links.ts";
import { findProgram, mapFd, type MapSizes, openObject } from "./object.ts";
import { type Refusal, refusalOf } from "./refusals.ts";
import { SkipCounter } from "./skips.ts";

/** A hook that is not attached, and why. */
export interface MissingHook {
  readonly hook: Hook;
  readonly reason: string;
  /** Whether the kernel has it, and does not take the program: it may take that of the other form. */
  readonly isRefused: boolean;
}

/** Of one program, since it was loaded. */
export interface ProgramCounts {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
}

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

/** Of what an object in the kernel was made. */
interface Origin {
  readonly bytes: Uint8Array;
  readonly form: Form;
  readonly maps: readonly MapName[];
  /** Loaded, whether attached or not. */
  readonly hooks: readonly Hook[];
}

/** The BPF object in the kernel, attached. Pointers stay inside. */
export class LoadedObject implements Disposable {
  readonly missing: readonly MissingHook[];
  readonly #origin: Origin;
  readonly #object: Pointer;
  /** Of the hooks, in their order. */
  readonly #programs: Pointer[];
  /** What programs were loaded anew with. */
  readonly #renewals: Pointer[] = [];
  readonly #links: Links;
  #skips: SkipCounter;

  private constructor(
    origin: Origin,
    object: Pointer,
    programs: Pointer[],
    links: Links,
    missing: readonly MissingHook[],
  ) {
    this.#origin = origin;
    this.#object = object;
    this.#programs = programs;
    this.#links = links;
    this.#skips = new SkipCounter(programs, links.pointers);
    this.missing = missing;
    inUse.add(this);
  }

  /**
   * Loads the object that the executable carries, as far as the hooks need it in this form, and
   * attaches those that this kernel has and takes. Throws LoadError if one that is required cannot be had.
   *
   * @param sizes of maps that are to have another size than in bpf/: bytes of the ring, entries of the others
   * @param bytes of the object, for tests of one that kernels refuse
   */
  static load({ hooks, maps }: HookSet, form: Form, sizes: MapSizes = {}, bytes = readBpfObject()): LoadedObject {
    // asked before the verifier goes through all programs, which takes seconds on a slow machine
    if (form === "kprobe" && !existsSync(KPROBES)) throw new LoadError("this kernel has no kprobes");
    const { libbpf } = embeddedLibbpf();
    const names = (at: Hook["at"]) => hooks.filter((hook) => hook.at === at).map(btfName);
    using _ = libbpf.holdKernelTypes();
    return libbpf.withMessages((messages) => {
      using _ = { [Symbol.dispose]: () => messages.forEach((message) => log.debug(message)) };
      const attempt = <T>(work: () => T, refused: (refusal: Refusal) => T): T => {
        const before = messages.length;
        try {
          return work();
        } catch (error) {
          return refused(refusalOf(error, messages.slice(before)));
        }
      };
      const known = attempt(
        () => libbpf.knownToKernel({ functions: [ALLOCATOR, ...names("function")], typedefs: names("tracepoint") }),
        giveUp("the kernel's type information (BTF) cannot be read"),
      );
      const missing: MissingHook[] = [];
      for (const hook of hooks) {
        if (known.has(btfName(hook)) || hook.replaceable) continue;
        skip(missing, { hook, reason: "this kernel does not have it", isRefused: false });
      }
      /** Loads these hooks, or as many of them as the kernel takes: again without each that it refuses. */
      const loadAll = (present: readonly Hook[]): { readonly object: Pointer; readonly loaded: readonly Hook[] } => {
        const programs = present.map((hook) => programName(hook, form));
        const preallocated = form === "kprobe" && !known.has(ALLOCATOR);
        const object = attempt(
          () => openObject(bytes, { programs, maps, sizes, preallocated }),
          giveUp("the BPF object cannot be opened"),
        );
        return attempt(
          () => {
            libbpf.number("bpf_object__load", libbpf.symbols.bpf_object__load(object));
            return { object, loaded: present };
          },
          (refusal) => {
            release(object, new Links());
            const hook = present[programs.indexOf(refusal.program ?? "")];
            // a replaceable one is missed as well: what this kernel does have is not done another way
            if (hook === undefined || hook.required) return giveUp("the kernel refuses the BPF programs")(refusal);
            skip(missing, { hook, reason: refusal.reason, isRefused: true });
            return loadAll(present.filter((other) => other !== hook));
          },
        );
      };
      const { object, loaded } = loadAll(hooks.filter((hook) => known.has(btfName(hook))));
      const links = new Links();
      try {
        const programs = loaded.map((hook) => findProgram(object, programName(hook, form)));
        for (const [i, program] of programs.entries()) {
          attempt(
            () => links.attach(loaded[i]!.name, program),
            ({ reason }) => skip(missing, { hook: loaded[i]!, reason, isRefused: true }),
          );
        }
        return new LoadedObject({ bytes, form, maps, hooks: loaded }, object, programs, links, missing);
      } catch (error) {
        release(object, links);
        throw error;
      }
    });
  }

  /** How many hooks are attached. Those that are neither attached nor missing are not needed on this kernel. */
  get attached(): number {
    return this.#links.pointers.length;
  }

  /** The file descriptor of a map of the object, open as long as the object is. */
  mapFd(name: MapName): number {
    return mapFd(this.#object, name);
  }

  /** How often the kernel did not run a program that it should have, in all, as far as it tells (skips.ts). */
  skips(): bigint {
    return this.#skips.read();
  }

  /** How often each program ran, and was skipped (skips.ts). */
  programs(): ProgramCounts[] {
    return this.#skips.counts().map((counts, i) => ({ name: this.#origin.hooks[i]?.name ?? "", ...counts }));
  }

  /** See Links. */
  mend(): Detached[] {
    const detached = this.#links.mend((names) => this.#renew(names));
    if (detached.length > 0) this.#skips = new SkipCounter(this.#programs, this.#links.pointers);
    return detached;
  }

  /** Loads programs of these hooks once more, with the same maps. Returns those that the kernel takes: it did before. */
  #renew(names: readonly string[]): ReadonlyMap<string, Pointer> {
    const { bytes, form, maps, hooks } = this.#origin;
    const { symbols } = embeddedLibbpf().libbpf;
    const lost = hooks.filter(({ name }) => names.includes(name));
    const programs = lost.map((hook) => programName(hook, form));
    const object = openObject(bytes, { programs, maps, from: this.#object });
    if (symbols.bpf_object__load(object) < 0) {
      symbols.bpf_object__close(object);
      return new Map();
    }
    this.#renewals.push(object);
    const renewed = new Map<string, Pointer>();
    for (const hook of lost) {
      const program = findProgram(object, programName(hook, form));
      const [old] = this.#programs.splice(hooks.indexOf(hook), 1, program);
      if (old !== undefined) symbols.bpf_program__unload(old);
      renewed.set(hook.name, program);
    }
    return renewed;
  }

  /** Detaches the hooks and unloads the object. */
  [Symbol.dispose](): void {
    if (!inUse.delete(this)) return;
    release(this.#object, this.#links);
    for (const object of this.#renewals) embeddedLibbpf().libbpf.symbols.bpf_object__close(object);
  }
}

const inUse = new Set<LoadedObject>();

/** The kernel's types are read once for all objects that are loaded until this is disposed of (libbpf.ts). */
export const holdKernelTypes = (): Disposable => embeddedLibbpf().libbpf.holdKernelTypes();

/** Attaches again what somebody else detached, of all objects, and says what that was. */
export function mendAll(): Detached[] {
  return [...inUse].flatMap((object) => object.mend());
}

function skip(missing: MissingHook[], skipped: MissingHook): void {
  const { hook, reason } = skipped;
  if (hook.required) throw new LoadError(`${hook.target} cannot be traced: ${reason}`);
  missing.push(skipped);
}

function release(object: Pointer, links: Links): void {
  links.destroy();
  embeddedLibbpf().libbpf.symbols.bpf_object__close(object);
}

const giveUp =
  (what: string) =>
  ({ reason }: Refusal): never => {
    throw new LoadError(`${what}: ${reason}`);
  };
