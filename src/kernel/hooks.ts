/** One BPF program of bpf/bpfink.bpf.c and the kernel function it traces. */
export interface Hook {
  /** Name of the program in the object. */
  readonly program: string;
  readonly kernelFunction: string;
  /** Without it the backend is not worth having, and the next one is tried. */
  readonly required: boolean;
  /** What is not seen where it cannot be attached. */
  readonly consequence: string;
}

/** Every program, in the order they are attached: births before what happens to the born. */
export const HOOKS: readonly Hook[] = [
  {
    program: "d_instantiate",
    kernelFunction: "security_d_instantiate",
    required: true,
    consequence: "new files and links are not seen",
  },
  {
    program: "d_delete",
    kernelFunction: "d_delete",
    required: true,
    consequence: "deletions are not seen",
  },
  {
    program: "d_move",
    kernelFunction: "d_move",
    required: true,
    consequence: "renames are not seen",
  },
  {
    program: "d_exchange",
    kernelFunction: "d_exchange",
    required: false,
    consequence: "two files exchanged in one step (RENAME_EXCHANGE) are not seen",
  },
  {
    program: "file_permission",
    kernelFunction: "security_file_permission",
    required: true,
    consequence: "writes are not seen",
  },
  {
    program: "file_update_time",
    kernelFunction: "file_update_time",
    required: false,
    consequence: "stores through a shared mapping are not seen",
  },
  {
    program: "notify_change",
    kernelFunction: "notify_change",
    required: true,
    consequence: "truncation and changes of mode and owner are not seen",
  },
  {
    program: "fput",
    kernelFunction: "__fput",
    required: false,
    consequence: "changes are reported after a quiet time instead of when the writer closes the file",
  },
];
