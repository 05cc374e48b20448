/** One BPF program of bpf/ and what it is attached to. */
export interface Hook {
  /** Name of the program in the object. */
  readonly program: string;
  /** The kernel function, or the tracepoint (tp_btf). */
  readonly target: string;
  /** Without it the backend is not worth having, and the next one is tried. */
  readonly required: boolean;
  /** What is not seen where it cannot be attached. */
  readonly consequence: string;
}

/** What a program is attached to is in the kernel's BTF under this name, if it is there at all. */
export const btfName = (hook: Hook): string =>
  hook.target.startsWith("sched_") ? `btf_trace_${hook.target}` : hook.target;

/** Maps of the object that only some of the programs use. */
export const MAPS = ["watches", "ring", "lost", "processes", "scratch"] as const;
export type MapName = (typeof MAPS)[number];

/** Programs that are of use together, and the maps they need. */
export interface HookSet {
  readonly hooks: readonly Hook[];
  readonly maps: readonly MapName[];
}

/** In the order they are attached: births before what happens to the born. */
const CHANGES: readonly Hook[] = [
  {
    program: "d_instantiate",
    target: "security_d_instantiate",
    required: true,
    consequence: "new files and links are not seen",
  },
  {
    program: "d_delete",
    target: "d_delete",
    required: true,
    consequence: "deletions are not seen",
  },
  {
    program: "d_move",
    target: "d_move",
    required: true,
    consequence: "renames are not seen",
  },
  {
    program: "d_exchange",
    target: "d_exchange",
    required: false,
    consequence: "two files exchanged in one step (RENAME_EXCHANGE) are not seen",
  },
  {
    program: "file_permission",
    target: "security_file_permission",
    required: true,
    consequence: "writes are not seen",
  },
  {
    program: "file_update_time",
    target: "file_update_time",
    required: false,
    consequence: "stores through a shared mapping are not seen",
  },
  {
    program: "notify_change",
    target: "notify_change",
    required: true,
    consequence: "truncation and changes of mode and owner are not seen",
  },
  {
    program: "fput",
    target: "__fput",
    required: false,
    consequence: "changes are reported after a quiet time instead of when the writer closes the file",
  },
];

const PROCESSES: readonly Hook[] = [
  {
    program: "process_fork",
    target: "sched_process_fork",
    required: true,
    consequence: "processes that never call exec are not known once they are gone",
  },
  {
    program: "process_exec",
    target: "sched_process_exec",
    required: true,
    consequence: "processes are not known once they are gone",
  },
];

/** The ebpf source: what happens to files, and who does it. */
export const CHANGE_HOOKS: HookSet = { hooks: CHANGES, maps: ["watches", "ring", "lost"] };

/** Beside fanotify: who there was. */
export const PROCESS_HOOKS: HookSet = { hooks: PROCESSES, maps: ["processes", "scratch"] };
