import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import type { NodeKey } from "../event.ts";
import { embeddedLibbpf, ringWorkerUrl } from "../kernel/assets.ts";
import { Backlog } from "../kernel/backlog.ts";
import { CHANGE_HOOKS, type Form } from "../kernel/hooks.ts";
import { boottimeOffset, realtime, realtimeOffset } from "../kernel/libc.ts";
import { LoadedObject, type MissingHook, type ProgramCounts } from "../kernel/load.ts";
import { Counter, WatchMap } from "../kernel/maps.ts";
import type { RingMessage, RingRequest } from "../kernel/ring.worker.ts";
import { type ClockOffsets, decodeEvent, nodeKey, parseNodeKey } from "./decode.ts";
import type { Source, SourceHandlers, SourceSizes, WatchNode } from "./source.ts";

/** WATCH_FILE and WATCH_DIRECTORY of bpf/watch.bpf.h. */
const WATCH_FILE = 1;
const WATCH_DIRECTORY = 2;
const WATCH_INHERIT = 4;

/** How often the counts of lost records and skipped programs are read, and forgotten what the kernel watches in vain, in milliseconds. */
const TICK = 1000;
/** How many ticks the owner has to say that it wants an inode that the kernel watches by itself. */
const GRACE = 3;

interface Watched {
  readonly device: number;
  readonly inode: bigint;
  flags: number;
}

/** The source of choice: BPF programs in the kernel, a ring buffer, a thread that waits for it. */
export class EbpfSource implements Source {
  readonly backend: `ebpf/${Form}`;
  readonly #object: LoadedObject;
  readonly #watches: WatchMap;
  readonly #lost: Counter;
  readonly #nodes = new Map<NodeKey, Watched>();
  /** What the kernel watches since its birth and nobody asked for yet: ticks to go. */
  readonly #inherited = new Map<NodeKey, number>();
  #lostBefore = 0n;
  /** When the counts were read last, nanoseconds since the epoch. */
  #checked = realtime();
  /** Held, or it would be collected with its messages unread. */
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Bytes of the ring. */
  readonly #ringSize: number;

  /** Throws LoadError where the kernel does not take the programs. */
  constructor(form: Form, { ringSize }: SourceSizes) {
    this.backend = `ebpf/${form}`;
    this.#ringSize = ringSize;
    this.#object = LoadedObject.load(CHANGE_HOOKS, form, { ring: ringSize });
    this.#watches = new WatchMap(this.#object.mapFd("watches"));
    this.#lost = new Counter(this.#object.mapFd("lost"));
  }

  /** Hooks that this kernel does not have. */
  get missing(): readonly MissingHook[] {
    return this.#object.missing;
  }

  watch(node: WatchNode): NodeKey {
    const { device, inode } = node;
    const key = nodeKey(device, inode);
    const known = this.#nodes.get(key);
    let flags = WATCH_FILE | (known?.flags ?? 0);
    if (node.as === "directory") flags |= WATCH_DIRECTORY;
    if (node.inherit) flags |= WATCH_INHERIT;
    if (known?.flags === flags) return key;
    try {
      this.#watches.set(device, inode, flags);
    } catch (error) {
      throw new BpfinkError(
        ExitStatus.cannotWatch,
        `cannot watch ${node.path}: ${messageOf(error)}`,
        "watch fewer files, or give the process more memory (memory cgroup, RLIMIT_MEMLOCK before Linux 5.11)",
      );
    }
    this.#nodes.set(key, { device, inode, flags });
    this.#inherited.delete(key);
    return key;
  }

  unwatch(key: NodeKey): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    this.#watches.delete(node.device, node.inode);
  }

  start(handlers: SourceHandlers): void {
    const worker = new Worker(ringWorkerUrl());
    const backlog = new Backlog();
    this.#worker = worker;
    worker.onerror = (event) => handlers.onError(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<RingMessage>) => {
      if ("error" in data) return handlers.onError(new Error(data.error));
      try {
        this.#take(data.records, handlers);
      } finally {
        backlog.take(data.bytes);
      }
    };
    const request: RingRequest = {
      libraryPath: embeddedLibbpf().path,
      ringFd: this.#object.mapFd("ring"),
      backlog: backlog.memory,
      limit: this.#ringSize,
    };
    this.#lostBefore = this.#object.skips(); // while nothing was watched yet, nothing was lost
    worker.postMessage(request);
    worker.unref();
    this.#timer = setInterval(() => {
      this.#reportLost(handlers);
      this.#forgetInherited();
    }, TICK);
    this.#timer.unref();
  }

  #take(records: readonly Uint8Array[], handlers: SourceHandlers): void {
    const clocks: ClockOffsets = { monotonic: realtimeOffset(), boottime: boottimeOffset() };
    for (const record of records) {
      const event = decodeEvent(record, clocks);
      if (event === undefined) {
        handlers.onLost(1, this.#checked);
        continue;
      }
      if (event.kind === "birth" && event.node !== undefined && !this.#nodes.has(event.node)) {
        this.#inherited.set(event.node, GRACE);
      }
      handlers.onEvent(event);
    }
  }

  programs(): ProgramCounts[] {
    return this.#object.programs();
  }

  #reportLost(handlers: SourceHandlers): void {
    const lost = this.#lost.read() + this.#object.skips();
    const now = realtime();
    if (lost > this.#lostBefore) handlers.onLost(Number(lost - this.#lostBefore), this.#checked);
    this.#lostBefore = lost;
    this.#checked = now;
  }

  #forgetInherited(): void {
    for (const [key, ticks] of this.#inherited) {
      if (ticks > 0) {
        this.#inherited.set(key, ticks - 1);
        continue;
      }
      this.#inherited.delete(key);
      const { device, inode } = parseNodeKey(key);
      this.#watches.delete(device, inode);
    }
  }

  /** Detaches. The thread stays blocked in its poll until the process ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#object[Symbol.dispose]();
  }
}
