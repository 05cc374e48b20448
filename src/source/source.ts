import type { KernelEvent, NodeKey } from "../event.ts";
import type { NameRule } from "../kernel/excludes.ts";

/** An inode to watch. */
export interface WatchNode {
  /** A path that reaches the inode now, free of symbolic links. */
  readonly path: string;
  /** Device of the super block, as in mountinfo: major << 20 | minor. */
  readonly device: number;
  readonly inode: bigint;
  /** "directory": report what happens to its entries. "file": report what happens to it. */
  readonly as: "directory" | "file";
  /**
   * Of a directory: a name in it is waited for. A source that can watches what is born there from
   * its birth on, and forgets by itself what nobody asks to watch within seconds.
   */
  readonly inherit: boolean;
}

/** How much a source may hold, where that is its own to say. */
export interface SourceSizes {
  /** Bytes of the ring for events: a power of two, at least a page. */
  readonly ringSize: number;
  /** Inodes that can be watched at a time; undefined: as many as usual. */
  readonly maxWatches?: number | undefined;
}

/** What a file was when it was opened. */
export interface Opened {
  /** How often it is open for writing. */
  readonly writers: number;
  /** Shared mappings of it that may be written to. */
  readonly mappings: number;
  /** On overlayfs the file in the layer: device as in WatchNode, and inode. */
  readonly layer?: Pick<WatchNode, "device" | "inode"> | undefined;
}

/** What a source reports to its owner. */
export interface SourceHandlers {
  onEvent(event: KernelEvent): void;
  /**
   * Events were lost (ring full, queue overflow): `count` of them where known, after `since`, when
   * nothing had been (nanoseconds since the epoch).
   */
  onLost(count: number | undefined, since: bigint): void;
  /**
   * Something keeps changes from being seen, some or all. Called once for each reason, until it is over.
   *
   * @param reason what it is: "all kprobes are disarmed"
   * @param remedy what to do about it
   */
  onBlind?(reason: string, remedy: string): void;
  /** That is over: nothing of this reason keeps changes from being seen any more. */
  onSeeing?(reason: string): void;
  /** The source is dead and will report nothing more. */
  onError(error: Error): void;
}

/**
 * Where kernel events come from. Two implementations: ebpf.ts and fanotify.ts. A source is made
 * loaded and attached, reports nothing until `start`, and holds kernel resources until disposed.
 */
export interface Source extends Disposable {
  /** As printed in every line: `ebpf/fentry`, `fanotify`. */
  readonly backend: string;
  /** What it does not see or tell on this kernel, for people. */
  readonly unseen?: readonly string[];
  /** Whether it tells of mounts; undefined: no. */
  readonly tellsOfMounts?: boolean;
  /**
   * Watches an inode, idempotent. Returns its key, or undefined when the path no longer leads to
   * something that can be watched (it vanished: the caller walks the path again). The returned key
   * belongs to the inode that is watched now, which may differ from node.inode if the path was
   * replaced meanwhile. Throws BpfinkError where the kernel refuses for a reason that stays.
   */
  watch(node: WatchNode): NodeKey | undefined;
  /** Forgets an inode; unknown keys are ignored. @param path that led to it when it was watched last */
  unwatch(key: NodeKey, path: string): void;
  /**
   * Where the source has several owners: asks this one from now on, until it disposes of its share, what it
   * needs of that which it watched. What another one needs stays watched.
   */
  claim?(needs: (key: NodeKey) => boolean): void;
  /**
   * Says which names, in directories of which scopes, nobody wants to hear of when they are born or go.
   * Those of before hold no more. Missing where the source tells of all of them.
   */
  excludeNames?(rules: readonly NameRule[]): void;
  /** The scopes of a directory that is watched: bits, as in a rule. Those of before hold no more. */
  setScopes?(key: NodeKey, scopes: number): void;
  /**
   * Of an inode that is watched, and the last that this thread opened; of another one, as if it were open for
   * writing. undefined where the source does not know such things.
   */
  opened?(key: NodeKey): Opened | undefined;
  /**
   * Returns what says whether everything that the kernel had told until now has been reported, or never
   * will be. Missing where that cannot be known.
   */
  untilNow?(): () => boolean;
  /** Whether events of the last seconds were lost, and so the process that did something may be one that was not told. */
  hasLost?(): boolean;
  start(handlers: SourceHandlers): void;
  /** Of each BPF program, how often it ran, where the kernel counts that, and was skipped. */
  programs?(): readonly { readonly name: string; readonly hits: number; readonly misses: number }[];
}
