import { closeSync } from "node:fs";
import { messageOf } from "../errors.ts";
import type { KernelEvent, MountChange } from "../event.ts";
import { hasCode, SystemError } from "../kernel/errno.ts";
import * as abi from "../kernel/fanotify-abi.ts";
import { fanotifyInit, fanotifyMark, realtime } from "../kernel/libc.ts";
import { mountinfoId, uniqueMountIds } from "../kernel/mount-ids.ts";
import { log } from "../log.ts";
import { ActorCache } from "./fanotify-actor.ts";
import { decodeEvents, type FanotifyEvent } from "./fanotify-decode.ts";
import type { ProcessTable } from "./processes.ts";

const INIT_FLAGS = abi.FAN_CLASS_NOTIF | abi.FAN_CLOEXEC | abi.FAN_NONBLOCK | abi.FAN_REPORT_MNT | abi.FAN_REPORT_PIDFD;

/**
 * Who mounts and unmounts in our mount namespace: fanotify tells it from Linux 6.15 on, by a group of its own and by
 * ids that are never used again. What it is that is mounted, /proc/self/mountinfo says (src/watch/mount-table.ts).
 */
export class MountEvents implements Disposable {
  readonly #fd: number;
  readonly #processes: ProcessTable | undefined;
  /** Numbers in mountinfo, by unique ids: of a mount that is gone nobody tells it any more. */
  readonly #ids = new Map<bigint, number>();
  #reader: ReturnType<typeof readerOf> | undefined;
  #disposed = false;

  /** undefined where the kernel does not tell of mounts. */
  static open(processes: ProcessTable | undefined): MountEvents | undefined {
    let fd: number | undefined;
    try {
      fd = fanotifyInit(INIT_FLAGS);
      fanotifyMark(fd, abi.FAN_MARK_ADD | abi.FAN_MARK_MNTNS, abi.FAN_MNT_ATTACH | abi.FAN_MNT_DETACH, MOUNT_NAMESPACE);
      return new MountEvents(fd, processes);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      if (!(error instanceof SystemError)) throw error;
      return undefined; // an older kernel, a filter of system calls, too many groups: nobody is named for mounts
    }
  }

  private constructor(fd: number, processes: ProcessTable | undefined) {
    this.#fd = fd;
    this.#processes = processes;
    for (const unique of uniqueMountIds()) this.#learn(unique);
  }

  start(onEvent: (event: KernelEvent) => void): void {
    this.#reader = readerOf(this.#fd);
    void this.#run(this.#reader, onEvent);
  }

  async #run(reader: ReturnType<typeof readerOf>, onEvent: (event: KernelEvent) => void): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#disposed) return;
        this.#deliver(value, onEvent);
      }
    } catch (error) {
      if (!this.#disposed) log.warn(`whoever mounts will not be named: ${messageOf(error)}`);
    }
  }

  #deliver(bytes: Uint8Array, onEvent: (event: KernelEvent) => void): void {
    const time = realtime();
    const { events } = decodeEvents(bytes);
    const actors = new ActorCache(this.#processes);
    try {
      for (const event of events) {
        const actor = actors.of(event);
        for (const mount of this.#changesOf(event)) {
          onEvent({ time, kind: "mount", node: undefined, entries: [], actor, mount });
        }
      }
    } finally {
      for (const { pidfd } of events) if (pidfd !== undefined && pidfd >= 0) closeSync(pidfd);
    }
  }

  /** One that is moved is taken off and put on again. */
  #changesOf({ mask, mount }: FanotifyEvent): MountChange[] {
    if (mount === undefined) return [];
    const isAttached = (mask & abi.FAN_MNT_ATTACH) !== 0;
    const isDetached = (mask & abi.FAN_MNT_DETACH) !== 0;
    if (isAttached) this.#learn(mount);
    const id = this.#ids.get(mount);
    if (isDetached && !isAttached) this.#ids.delete(mount);
    if (id === undefined) return []; // it came and went before anybody looked
    return [...(isDetached ? [{ id, isAttached: false }] : []), ...(isAttached ? [{ id, isAttached: true }] : [])];
  }

  #learn(unique: bigint): void {
    try {
      this.#ids.set(unique, mountinfoId(unique));
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    void this.#reader?.cancel().catch(() => {});
    closeSync(this.#fd);
  }
}

const MOUNT_NAMESPACE = "/proc/self/ns/mnt";

/** As the source's own (fanotify.ts). */
const readerOf = (fd: number) => Bun.file(fd).stream().getReader();
