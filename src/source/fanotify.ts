import { closeSync, constants, openSync } from "node:fs";
import type { Actor, KernelEvent, NodeKey } from "../event.ts";
import { SystemError, hasCode } from "../kernel/errno.ts";
import * as abi from "../kernel/fanotify-abi.ts";
import {
  fanotifyInit,
  fanotifyMark,
  fstatfs,
  nameToHandle,
  openHandle,
  openPath,
  realtime,
  statx,
} from "../kernel/libc.ts";
import { isReadable } from "../kernel/poll.ts";
import { parentPath, pathBytes } from "../paths.ts";
import { ActorCache } from "./fanotify-actor.ts";
import { type FanotifyEvent, decodeEvents, handleOf, kindsOf, nodeKey } from "./fanotify-decode.ts";
import { initRefused, markRefused } from "./fanotify-errors.ts";
import type { DirtyPages } from "./dirty.ts";
import { MountEvents } from "./fanotify-mounts.ts";
import type { ProcessTable } from "./processes.ts";
import type { Source, SourceHandlers, WatchNode } from "./source.ts";

/**
 * What marks ask for.
 *
 * A directory is marked for its names and for itself, without FAN_EVENT_ON_CHILD: a busy directory
 * (/tmp, /etc) would wake us for every write to files that nobody watches. A file is marked itself,
 * so a write through a hard link in another directory is seen, too. Between the birth of a name and
 * the mark on its inode a write may go unseen, which loses nothing: the owner looks at a file after
 * watch() has returned.
 */
const FILE_MASK = abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE | abi.FAN_ATTRIB | abi.FAN_DELETE_SELF | abi.FAN_MOVE_SELF;
const DIRECTORY_MASK =
  abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_ATTRIB | abi.FAN_DELETE_SELF | abi.FAN_MOVE_SELF | abi.FAN_ONDIR;

/**
 * The queue stays bounded (fs.fanotify.max_queued_events, 16,384 by default: at most some MB of
 * kernel memory, read in 20 ms). FAN_UNLIMITED_QUEUE would trade a rescan, which always works,
 * for memory without a limit. Marks are bounded by the files that are watched.
 */
const INIT_FLAGS =
  abi.FAN_CLASS_NOTIF |
  abi.FAN_CLOEXEC |
  abi.FAN_NONBLOCK |
  abi.FAN_UNLIMITED_MARKS |
  abi.FAN_REPORT_FID |
  abi.FAN_REPORT_DFID_NAME;

/**
 * Opens the source that needs no BPF: fanotify(7), Linux 5.9 or newer, CAP_SYS_ADMIN. Throws
 * BpfinkError with what to do when the kernel refuses.
 *
 * - It sees what passes through system calls; stores to mapped memory only with `dirty`, where pages are written back.
 * - The kernel sends no time with an event: KernelEvent.time is CLOCK_REALTIME when it was read.
 * - `actor` is read from /proc, or from `processes` for one that is gone, when it is first asked for, since most names in a busy directory
 *   concern nobody. Ask within onEvent: afterwards it is undefined if it was not asked for. It is
 *   never another process under the same number, which a pidfd makes sure of from Linux 5.15 on;
 *   it may have executed another program since.
 * - Events that bpfink itself causes are reported like all others (the canary is one).
 */
export function openFanotify(processes?: ProcessTable, dirty?: DirtyPages): Source {
  return new FanotifySource(init(), processes, dirty);
}

/** Bytes of events that are fewer than any buffer of Bun's could have held: there were no more. An event has less than 1 KiB. */
const SHORT = 2048;

/** Tries the newest event format first. Distributions backport, so the kernel is asked, never its version. */
function init(): number {
  const wishes = [abi.FAN_REPORT_PIDFD | abi.FAN_REPORT_TARGET_FID, abi.FAN_REPORT_TARGET_FID, abi.FAN_REPORT_PIDFD, 0];
  for (const wish of wishes) {
    try {
      return fanotifyInit(INIT_FLAGS | wish);
    } catch (error) {
      if (!hasCode(error, "EINVAL") || wish === 0) throw initRefused(error);
    }
  }
  throw new Error("unreachable");
}

/** FAN_RENAME tells both names in one event. The mask is checked before the path: EINVAL or ENOENT. */
function renameMask(fanotify: number): number {
  try {
    fanotifyMark(fanotify, abi.FAN_MARK_ADD, abi.FAN_RENAME, "");
  } catch (error) {
    if (hasCode(error, "EINVAL")) return abi.FAN_MOVED_FROM | abi.FAN_MOVED_TO;
  }
  return abi.FAN_RENAME;
}

/**
 * Bun polls a non-blocking descriptor in its own loop, on a duplicate that cancel() closes. It reads
 * into 256 KiB or more at a time, so whole events always fit: the largest has under 1 KiB.
 */
const readerOf = (fd: number) => Bun.file(fd).stream().getReader();
type EventReader = ReturnType<typeof readerOf>;

class FanotifySource implements Source {
  readonly backend = "fanotify";
  readonly #fd: number;
  readonly #processes: ProcessTable | undefined;
  readonly #dirty: DirtyPages | undefined;
  readonly #mounts: MountEvents | undefined;
  readonly #directoryMask: number;
  #reader: EventReader | undefined;
  /** When events were asked for that emptied the queue: until then nothing was lost. Nanoseconds since the epoch. */
  #since = realtime();
  /** When the events to come were asked for; they may have been read at any time since, in another thread. */
  #asked = realtime();
  /** How many times events were taken. */
  #reads = 0;
  #disposed = false;

  constructor(fd: number, processes: ProcessTable | undefined, dirty: DirtyPages | undefined) {
    this.#fd = fd;
    this.#processes = processes;
    this.#dirty = dirty;
    this.#directoryMask = DIRECTORY_MASK | renameMask(fd);
    this.#mounts = MountEvents.open(processes);
  }

  /** What no mark tells of (docs/kernel.md). */
  get unseen(): readonly string[] {
    const stores = "stores through a shared mapping (mmap)";
    return [
      `${stores}${this.#dirty === undefined ? "" : " on tmpfs and overlay"} are seen late: when something else happens to the file`,
      "nothing is seen on file systems without file handles",
      ...(this.#processes === undefined ? ["who it was is not told of processes that end at once"] : []),
      ...(this.#mounts === undefined ? ["who mounts or unmounts over a watched path is not told"] : []),
    ];
  }

  get tellsOfMounts(): boolean {
    return this.#mounts !== undefined;
  }

  /** One O_PATH descriptor pins the inode, and all else goes through it, so mark and key cannot be of two inodes. */
  watch(node: WatchNode): NodeKey | undefined {
    let fd: number | undefined;
    try {
      fd = openPath(node.path);
      if (fd === undefined) return undefined;
      const { type, inode } = statx(fd);
      const isDirectory = type === "directory";
      if (node.as === "directory" && !isDirectory) return undefined;
      const mask = node.as === "directory" ? this.#directoryMask : FILE_MASK | (isDirectory ? abi.FAN_ONDIR : 0);
      fanotifyMark(this.#fd, abi.FAN_MARK_ADD, mask, `/proc/self/fd/${fd}`);
      const key = keyOf(fd);
      if (type === "file") this.#dirty?.watch({ device: node.device, inode }, key);
      return key;
    } catch (error) {
      // Somebody changes the path while we walk it: what ENOENT says, in other words.
      if (hasCode(error, "ELOOP", "ENAMETOOLONG", "ESTALE")) return undefined;
      throw markRefused(error, node.path, fd);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /**
   * Takes the mark off, which needs a way to the inode: its path, or from that path's mount its
   * handle. Where both fail the mark stays until the inode or this process goes; its events concern nobody.
   */
  unwatch(key: NodeKey, path: string): void {
    this.#dirty?.unwatch(key);
    const fd = reopen(key, path);
    if (fd === undefined) return;
    try {
      const all = this.#directoryMask | FILE_MASK;
      fanotifyMark(this.#fd, abi.FAN_MARK_REMOVE, all, `/proc/self/fd/${fd}`);
    } catch (error) {
      // ENOENT: it went with its inode. Any other way, it is the case where the mark stays.
      if (!(error instanceof SystemError)) throw error;
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Whether the queue was read empty. What was read last may still be on its way from the thread that reads: that
   * is short, and not known.
   */
  untilNow(): () => boolean {
    const isTold = this.#dirty?.untilNow() ?? (() => true);
    const [reads, isEmpty] = [this.#reads, !isReadable(this.#fd)];
    return () => (isEmpty || this.#reads > reads + 1 || !isReadable(this.#fd)) && isTold();
  }

  start(handlers: SourceHandlers): void {
    if (this.#disposed || this.#reader !== undefined) return;
    this.#dirty?.start(handlers);
    this.#mounts?.start((event) => handlers.onEvent(event));
    this.#reader = readerOf(this.#fd);
    void this.#run(this.#reader, handlers);
  }

  async #run(reader: EventReader, handlers: SourceHandlers): Promise<void> {
    while (!this.#disposed) {
      let chunk;
      try {
        chunk = await reader.read();
      } catch (error) {
        if (!this.#disposed) handlers.onError(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (chunk.done) {
        if (!this.#disposed) handlers.onError(new Error("fanotify: the event stream ended"));
        return;
      }
      this.#deliver(chunk.value, handlers);
    }
  }

  #deliver(bytes: Uint8Array, handlers: SourceHandlers): void {
    const time = realtime();
    const since = this.#since;
    if (bytes.length < SHORT) this.#since = this.#asked;
    this.#asked = time;
    const { events, rest } = decodeEvents(bytes);
    this.#reads++;
    const actors = new ActorCache(this.#processes);
    try {
      for (const event of events) {
        if (this.#disposed) return;
        if ((event.mask & abi.FAN_Q_OVERFLOW) !== 0) handlers.onLost(undefined, since);
        else report(event, time, actors, handlers);
      }
      if (rest !== 0) handlers.onLost(undefined, since);
    } finally {
      for (const { pidfd } of events) if (pidfd !== undefined && pidfd >= 0) closeSync(pidfd);
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    void this.#reader?.cancel().catch(() => {});
    closeSync(this.#fd);
    this.#mounts?.[Symbol.dispose]();
    this.#processes?.[Symbol.dispose]();
    this.#dirty?.[Symbol.dispose]();
  }
}

/** Hands over one event, as one hint for each kind that the kernel merged into it. */
function report(event: FanotifyEvent, time: bigint, actors: ActorCache, handlers: SourceHandlers): void {
  const { node, entries } = event;
  let actor: Actor | undefined | "unread" = "unread";
  const read = () => (actor === "unread" ? (actor = actors.of(event)) : actor);
  for (const kind of kindsOf(event.mask)) {
    const hint: KernelEvent = {
      time,
      kind,
      node,
      entries,
      get actor() {
        return read();
      },
    };
    handlers.onEvent(hint);
  }
  // From here on the pidfd is closed and the number may be another's.
  if (actor === "unread") actor = undefined;
}

const keyOf = (fd: number): NodeKey => nodeKey(fstatfs(fd).fsid, nameToHandle(fd));

/** A descriptor of the inode with this key, by the path that it had or by its handle. */
function reopen(key: NodeKey, path: string): number | undefined {
  const has = (fd: number | undefined): fd is number => {
    if (fd === undefined) return false;
    if (keyOf(fd) === key) return true;
    closeSync(fd);
    return false;
  };
  try {
    const byPath = openPath(path);
    if (has(byPath)) return byPath;
    // open_by_handle_at(2) takes no O_PATH descriptor for the mount.
    const mount = openSync(
      pathBytes(parentPath(path)),
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    try {
      const byHandle = openHandle(mount, handleOf(key));
      return has(byHandle) ? byHandle : undefined;
    } finally {
      closeSync(mount);
    }
  } catch {
    return undefined;
  }
}
