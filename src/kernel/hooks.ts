/**
 * How programs are attached: through BPF trampolines (fentry, fexit, tp_btf), or as kprobes and raw
 * tracepoints. Each hook that has both has the two programs FORM_NAME in the object.
 */
export type Form = "fentry" | "kprobe";

/** A place in the kernel, and what bpf/ does there. */
export interface Hook {
  /** Name of its programs in the object, behind the form. */
  readonly name: string;
  /** The kernel function, or the tracepoint. */
  readonly target: string;
  readonly at: "function" | "tracepoint";
  /** Without it the backend is not worth having, and the next one is tried. */
  readonly required: boolean;
  /** What is not seen where it cannot be attached. */
  readonly consequence: string;
  /** A kernel that does not have it does the same through another hook of the table. */
  readonly replaceable?: true;
}

/** Name in the kernel's BTF of what a program is attached to, if the kernel has it at all. */
export const btfName = (hook: Hook): string => (hook.at === "tracepoint" ? `btf_trace_${hook.target}` : hook.target);

/** Name of the hook's program in the object. */
export const programName = (hook: Hook, form: Form): string => `${form}_${hook.name}`;

/** Maps of the object that only some of the programs use. */
export const MAPS = [
  ...["watches", "filter", "ring", "lost", "shapes", "excluded", "opened"],
  ...["processes", "scratch", "signals", "addressee"],
] as const;
export type MapName = (typeof MAPS)[number];

/** Hooks that are of use together, and the maps their programs need. */
export interface HookSet {
  readonly hooks: readonly Hook[];
  readonly maps: readonly MapName[];
}

/** In the order they are attached: births before what happens to the born. */
const CHANGES: readonly Hook[] = [
  {
    name: "instantiate",
    target: "security_d_instantiate",
    at: "function",
    required: true,
    consequence: "new files and links are not seen",
  },
  {
    name: "delete",
    target: "d_delete",
    at: "function",
    required: true,
    consequence: "deletions are not seen",
  },
  {
    name: "move",
    target: "d_move",
    at: "function",
    required: true,
    consequence: "renames are not seen",
  },
  {
    name: "exchange",
    target: "d_exchange",
    at: "function",
    required: false,
    consequence: "two files exchanged in one step (RENAME_EXCHANGE) are not seen",
  },
  {
    name: "write",
    target: "generic_write_checks",
    at: "function",
    required: true,
    consequence: "writes are not seen",
  },
  {
    name: "fallocate",
    target: "vfs_fallocate",
    at: "function",
    required: false,
    consequence: "fallocate(2) is not seen until the file is closed",
  },
  {
    name: "clone_range",
    target: "vfs_clone_file_range",
    at: "function",
    required: false,
    consequence: "cloned ranges (FICLONE) are not seen until the file is closed",
  },
  {
    name: "copy_range",
    target: "vfs_copy_file_range",
    at: "function",
    required: false,
    consequence: "copy_file_range(2) within a file system is not seen until the file is closed",
  },
  {
    name: "inode_dirty",
    target: "writeback_mark_inode_dirty",
    at: "tracepoint",
    required: false,
    consequence: "stores through a shared mapping are seen late",
  },
  {
    name: "shmem_fault",
    target: "shmem_fault",
    at: "function",
    required: false,
    consequence: "stores through a shared mapping on tmpfs are seen late",
  },
  {
    name: "mmap",
    target: "security_mmap_file",
    at: "function",
    required: false,
    consequence: "a mapping through which a file can be written in silence is not seen being made",
  },
  {
    name: "munmap",
    target: "uprobe_munmap",
    at: "function",
    required: false,
    consequence: "a mapping through which a file can be written in silence is not seen going away",
  },
  {
    name: "notify_change",
    target: "notify_change",
    at: "function",
    required: true,
    consequence: "truncation and changes of mode and owner are not seen",
  },
  {
    name: "setxattr",
    target: "security_inode_post_setxattr",
    at: "function",
    required: false,
    consequence: "new values of extended attributes and file capabilities are not seen",
  },
  {
    name: "removexattr",
    target: "vfs_removexattr",
    at: "function",
    required: false,
    consequence: "removal of extended attributes is not seen",
  },
  {
    name: "set_acl",
    target: "vfs_set_acl",
    at: "function",
    required: false,
    consequence: "changes of ACLs are not seen",
    replaceable: true, // before 6.2 an ACL is set like any extended attribute
  },
  {
    name: "remove_acl",
    target: "vfs_remove_acl",
    at: "function",
    required: false,
    consequence: "removal of ACLs is not seen",
    replaceable: true,
  },
  {
    name: "drop_write",
    target: "mnt_drop_write_file",
    at: "function",
    required: false,
    consequence: "changes by ioctl (chattr) are not seen",
  },
  {
    name: "fileattr_set",
    target: "vfs_fileattr_set",
    at: "function",
    required: false,
    consequence: "file_setattr(2) is not seen",
    replaceable: true, // before 5.13 there are only ioctls
  },
  {
    name: "clear_inode",
    target: "clear_inode",
    at: "function",
    required: false,
    consequence: "who makes a file with the inode number of a deleted one may be named for the deletion as well",
  },
  {
    name: "mount",
    target: "path_mount",
    at: "function",
    required: false,
    consequence: "mount(2) over a watched path is not seen",
  },
  {
    name: "move_mount",
    target: "security_move_mount",
    at: "function",
    required: false,
    consequence: "move_mount(2) over a watched path is not seen",
  },
  {
    name: "umount",
    target: "security_sb_umount",
    at: "function",
    required: false,
    consequence: "umount(2) over a watched path is not seen",
  },
  {
    name: "open",
    target: "security_file_open",
    at: "function",
    required: false,
    consequence: "writers and mappings that are older than bpfink are not known",
  },
  {
    name: "fput",
    target: "__fput",
    at: "function",
    required: false,
    consequence: "changes are reported after a quiet time instead of when the writer closes the file",
  },
];

const PROCESSES: readonly Hook[] = [
  {
    name: "process_fork",
    target: "sched_process_fork",
    at: "tracepoint",
    required: true,
    consequence: "processes that never call exec are not known once they are gone",
  },
  {
    name: "process_exec",
    target: "sched_process_exec",
    at: "tracepoint",
    required: true,
    consequence: "processes are not known once they are gone",
  },
];

/** The ebpf source: what happens to files, and who does it. */
export const CHANGE_HOOKS: HookSet = {
  hooks: CHANGES,
  maps: ["watches", "filter", "ring", "lost", "shapes", "excluded", "opened"],
};

/** Beside fanotify: who there was. As trampolines only: a kernel without them has no fanotify table. */
export const PROCESS_HOOKS: HookSet = { hooks: PROCESSES, maps: ["processes", "scratch"] };

/** Beside fanotify: pages that become dirty. As a trampoline's kin, like the others there. */
export const DIRTY_HOOKS: HookSet = {
  hooks: CHANGES.filter(({ name }) => name === "inode_dirty").map((hook) => ({ ...hook, required: true })),
  maps: ["watches", "filter", "ring", "lost"],
};

/** Who sends a signal. By itself, whatever the source, and as a trampoline's kin in any case: tp_btf needs BTF alone. */
export const SIGNAL_HOOKS: HookSet = {
  hooks: [
    {
      name: "signal_generate",
      target: "signal_generate",
      at: "tracepoint",
      required: true,
      consequence: "who stops bpfink is not known",
    },
  ],
  maps: ["signals", "addressee"],
};
