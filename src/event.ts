/** What the kernel did, as far as the hint goes; what became of the file is for the look to say. */
export type ChangeKind =
  /** Content is about to change, or just has; the writer still has the file open. */
  | "write"
  /** A writer closed the file: what it meant to write is there. */
  | "close"
  /** Size, mode, owner, times or extended attributes changed. */
  | "attributes"
  /** A name appeared: create, mkdir, link, symlink. The content may follow. */
  | "birth"
  /** Somebody looked up a name whose inode is not watched, or not by this number. Nobody need have changed anything. */
  | "lookup"
  /** A name went away: unlink, rmdir. */
  | "gone"
  /** A name was moved, or replaced by another file. */
  | "rename"
  /** Content became dirty in memory by a process: it stored to a shared mapping, or wrote, which the event before tells. */
  | "store"
  /**
   * Content became dirty in memory, or may become so: the kernel itself wrote, or somebody whose "write" came before;
   * or a mapping that can be written to was made, or went. Whoever it was need not have changed anything.
   */
  | "dirty"
  /** An inode is no more, and the next file may get its number. No entries, no actor: says nothing of a change. */
  | "freed"
  /** Something is mounted at the entry, in whatever namespace (or `mount` says what in our own), or unmounted, or will be within milliseconds if it can. */
  | "mount";

/** A process that another descends from. */
export interface Ancestor {
  readonly pid: number;
  /** comm. */
  readonly name: string;
  /** As in Process. */
  readonly executable: string;
}

/** A process as the kernel knew it when it acted. */
export interface Process {
  readonly pid: number;
  readonly ppid: number;
  /** comm, at most 15 bytes (proc_pid_comm(5)). */
  readonly name: string;
  /** Path of the executable, "" when unknown (kernel thread, or gone before it could be read). */
  readonly executable: string;
  /** argv; the last element ends in "…" when the kernel's buffer cut it. */
  readonly args: readonly string[];
  /** Terminal of its session, "pts/0"; undefined when it has none. */
  readonly tty?: string | undefined;
  /** POSIX session id. */
  readonly session?: number;
  /** Path of its cgroup below the hierarchy's root, "/system.slice/ssh.service". */
  readonly cgroup?: string | undefined;
  /** Id of the container that the cgroup is of. */
  readonly container?: string | undefined;
  /** Start time, RFC 3339; "" when unknown. */
  readonly start: string;
  /** The parent first. As many as the source keeps. */
  readonly ancestors?: readonly Ancestor[];
}

/** Who changed a file. Ids are numbers; names are looked up where lines are made. */
export interface Actor {
  readonly process: Process;
  /** Real user id. */
  readonly uid: number;
  /** Effective user id. */
  readonly euid: number;
  /** Login uid (audit), undefined when the process has none (4294967295). */
  readonly loginuid: number | undefined;
}

/**
 * Identity of an inode in the source's own terms ("dev:ino" for ebpf, a file handle for fanotify).
 * Opaque to everything but the source that gave it.
 */
export type NodeKey = string & { readonly __nodeKey: unique symbol };

/** A name in a directory. */
export interface Entry {
  readonly directory: NodeKey;
  readonly name: string;
}

/** A mount that came to our mount namespace, or went. */
export interface MountChange {
  /** In /proc/self/mountinfo. */
  readonly id: number;
  readonly isAttached: boolean;
}

/** One hint from a source. */
export interface KernelEvent {
  /** When the kernel saw it: nanoseconds since the epoch, CLOCK_REALTIME. */
  readonly time: bigint;
  readonly kind: ChangeKind;
  /** The inode it happened to, when the source knows it. */
  readonly node: NodeKey | undefined;
  /** Of the inode: tells it from those that had its number before. Where the source knows it. */
  readonly generation?: number;
  /** Directory entries it happened to: one for most; for a rename the old and the new one. */
  readonly entries: readonly Entry[];
  /** Of kind "mount", where the source knows the mount and not the entry. */
  readonly mount?: MountChange;
  /** Of kind "mount": inode number of the mount namespace that it is in. Where the source knows it. */
  readonly mountNamespace?: number;
  /** undefined when the process was gone before anything could be learnt of it. */
  readonly actor: Actor | undefined;
}

/**
 * How a change came to be noticed: by an event; at the start, so while bpfink was down; after events
 * were lost; by a look at everything, now and then or at a reload.
 */
export type Origin = "live" | "startup" | "gap" | "rescan";
