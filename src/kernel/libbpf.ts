import { CString, dlopen, JSCallback, type Pointer, read } from "bun:ffi";
import { SystemError } from "./errno.ts";
import { trimHeap } from "./libc.ts";

/** libbpf's functions, each argument with its C type. libbpf 1.x returns -errno itself (libbpf.h). */
const SYMBOLS = {
  libbpf_version_string: { args: [], returns: "ptr" },
  libbpf_set_print: { args: ["ptr" /* libbpf_print_fn_t */], returns: "ptr" },
  libbpf_get_error: { args: ["ptr"], returns: "i64" },
  libbpf_num_possible_cpus: { args: [], returns: "i32" },
  kernel_types__hold: { args: [], returns: "ptr" /* struct btf * */ }, // build/kernel-types.c
  kernel_types__release: { args: ["ptr"], returns: "void" },
  btf__find_by_name_kind: {
    args: ["ptr" /* struct btf * */, "ptr" /* const char * */, "u32" /* BTF_KIND_* */],
    returns: "i32",
  },
  bpf_object__open_mem: {
    args: ["ptr" /* const void *bytes */, "u64" /* size_t */, "ptr" /* const opts * */],
    returns: "ptr",
  },
  bpf_object__load: { args: ["ptr"], returns: "i32" },
  bpf_object__close: { args: ["ptr"], returns: "void" },
  bpf_object__find_program_by_name: { args: ["ptr", "ptr" /* const char * */], returns: "ptr" },
  bpf_object__next_program: { args: ["ptr", "ptr" /* after it; NULL: the first */], returns: "ptr" },
  bpf_object__find_map_by_name: { args: ["ptr", "ptr" /* const char * */], returns: "ptr" },
  bpf_map__set_autocreate: { args: ["ptr", "bool"], returns: "i32" },
  bpf_map__reuse_fd: { args: ["ptr", "i32" /* int fd, duplicated */], returns: "i32" },
  bpf_map__set_map_flags: { args: ["ptr", "u32" /* BPF_F_* */], returns: "i32" },
  bpf_map__set_max_entries: { args: ["ptr", "u32"], returns: "i32" },
  bpf_object__find_map_fd_by_name: { args: ["ptr", "ptr" /* const char * */], returns: "i32" },
  bpf_program__set_autoload: { args: ["ptr", "bool"], returns: "i32" },
  bpf_program__unload: { args: ["ptr"], returns: "void" },
  bpf_program__fd: { args: ["ptr"], returns: "i32" },
  bpf_obj_get_info_by_fd: {
    args: ["i32" /* int fd */, "ptr" /* struct bpf_*_info *out */, "ptr" /* __u32 *length, in and out */],
    returns: "i32",
  },
  bpf_program__attach: { args: ["ptr"], returns: "ptr" },
  bpf_link__fd: { args: ["ptr"], returns: "i32" },
  bpf_link__disconnect: { args: ["ptr"], returns: "void" },
  bpf_link__destroy: { args: ["ptr"], returns: "i32" },
  bpf_map_update_elem: {
    args: ["i32" /* int fd */, "ptr" /* key */, "ptr" /* value */, "u64" /* flags */],
    returns: "i32",
  },
  bpf_map_lookup_elem: { args: ["i32" /* int fd */, "ptr" /* key */, "ptr" /* value, out */], returns: "i32" },
  bpf_map_get_next_key: {
    args: ["i32" /* int fd */, "ptr" /* key; NULL: before the first */, "ptr" /* key, out */],
    returns: "i32",
  },
  bpf_map_delete_elem: { args: ["i32" /* int fd */, "ptr" /* key */], returns: "i32" },
  ring_buffer__new: {
    args: ["i32" /* int map_fd */, "ptr" /* ring_buffer_sample_fn */, "ptr" /* ctx */, "ptr" /* opts */],
    returns: "ptr",
  },
  ring_buffer__poll: { args: ["ptr", "i32" /* ms, -1: for ever */], returns: "i32" },
} as const;

/** linux/btf.h. A tracepoint is known by the typedef of its handler. */
const BTF_KIND_TYPEDEF = 8;
const BTF_KIND_FUNC = 12;
/** LIBBPF_DEBUG (enum libbpf_print_level); warnings and information are below. */
const LIBBPF_DEBUG = 2;
/** va_list of x86-64, in words (System V ABI, figure 3.34): vsnprintf takes arguments out of it. */
const VA_LIST = [0, 8, 16];

export type Libbpf = ReturnType<typeof openLibbpf>;

/**
 * Loads libbpf with the dynamic linker. Each thread opens it for itself and gets the same library.
 *
 * @param path where it is: /proc/self/fd/N for the copy that the executable carries
 */
export function openLibbpf(path: string) {
  const { symbols } = dlopen(path, SYMBOLS);

  /** The pointer, or the error that libbpf left in errno (libbpf_get_error reads it). */
  function pointer(call: string, value: Pointer | bigint | null): Pointer {
    if (value !== null) return Number(value) as Pointer;
    throw new SystemError(call, Number(-symbols.libbpf_get_error(null)));
  }

  return {
    symbols,
    pointer,

    /** Like "1.1". */
    version: new CString(pointer("libbpf_version_string", symbols.libbpf_version_string()))
      .toString()
      .replace(/^v/, ""),

    /** The result of a function that returns -errno. */
    number(call: string, value: number): number {
      if (value < 0) throw new SystemError(call, -value);
      return value;
    },

    /**
     * The kernel's types (BTF) are read once for all that is done with them until this is disposed of: they take
     * 10 MB, and each reading a tenth of a start. Where they cannot be read nothing is held, and nothing said: that is
     * for those who need them.
     */
    holdKernelTypes(): Disposable {
      symbols.libbpf_set_print(null);
      const types = symbols.kernel_types__hold();
      return {
        [Symbol.dispose]() {
          symbols.kernel_types__release(types);
          trimHeap();
        },
      };
    },

    /** Which functions and typedefs the kernel's types have. Throws where the kernel has none, or does not show them. */
    knownToKernel({ functions, typedefs }: Readonly<Record<"functions" | "typedefs", readonly string[]>>): Set<string> {
      const types = pointer("btf__load_vmlinux_btf", symbols.kernel_types__hold());
      try {
        const has = (kind: number) => (name: string) => symbols.btf__find_by_name_kind(types, cString(name), kind) > 0;
        return new Set([...functions.filter(has(BTF_KIND_FUNC)), ...typedefs.filter(has(BTF_KIND_TYPEDEF))]);
      } finally {
        symbols.kernel_types__release(types);
      }
    },

    /**
     * Calls `work` and collects libbpf's warnings meanwhile, one a line, which say more than errno.
     * Only for work that calls libbpf from this thread.
     */
    withMessages<T>(work: (messages: readonly string[]) => T): T {
      const messages: string[] = [];
      const libc = dlopen("libc.so.6", {
        vsnprintf: {
          args: ["ptr", "u64" /* size_t */, "ptr" /* format */, "ptr" /* va_list */],
          returns: "i32",
        },
      });
      const print = new JSCallback(
        (level: number, format: Pointer, args: Pointer) => {
          if (level >= LIBBPF_DEBUG) return 0;
          // the verifier's log can be of any length, and its end tells
          const copy = BigUint64Array.from(VA_LIST, (at) => read.u64(args, at));
          const text = Buffer.alloc(libc.symbols.vsnprintf(null, 0, format, copy) + 1);
          libc.symbols.vsnprintf(text, text.length, format, args);
          messages.push(text.toString("utf8", 0, text.length - 1).trim());
          return 0;
        },
        { args: ["i32", "ptr", "ptr"], returns: "i32" },
      );
      symbols.libbpf_set_print(print.ptr);
      try {
        return work(messages);
      } finally {
        symbols.libbpf_set_print(null);
        print.close();
      }
    },
  };
}

/** A NUL-terminated string. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}
