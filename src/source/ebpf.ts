import type { NodeKey } from "../event.ts";
import { embeddedLibbpf, ringWorkerUrl } from "../kernel/assets.ts";
import { Backlog } from "../kernel/backlog.ts";
import { CHANGE_HOOKS, type Form } from "../kernel/hooks.ts";
import { Switches } from "../kernel/switches.ts";
import { boottimeOffset, realtime, realtimeOffset } from "../kernel/libc.ts";
import { LoadedObject, type MissingHook, type ProgramCounts } from "../kernel/load.ts";
import { Counter, OpenedSlot, RingPosition, WatchMap } from "../kernel/maps.ts";
import type { RingMessage, RingRequest } from "../kernel/ring.worker.ts";
import { type ClockOffsets, decodeEvent, decodeOpened, encodeMonitor } from "./decode.ts";
import type { Opened, Source, SourceHandlers, SourceSizes, WatchNode } from "./source.ts";
import { Watches } from "./watches.ts";

/** How often the counts of lost records and skipped programs are read, and the watch map is tended, in milliseconds. */
const TICK = 1000;
/** A ring that was asked about so often, in turns of the event loop 20 ms apart, and does not move will not: its thread is stopped. */
const STALLED = 100;
const FULL_REMEDY = "start bpfink with a greater --max-watches, or watch fewer files";

/** The source of choice: BPF programs in the kernel, a ring buffer, a thread that waits for it. */
export class EbpfSource implements Source {
  readonly backend: `ebpf/${Form}`;
  readonly tellsOfMounts = true;
  readonly #object: LoadedObject;
  readonly #watches: Watches;
  readonly #lost: Counter;
  readonly #switches: Switches;
  /** Why changes are not seen, as the owner was told. */
  #blindness: ReadonlySet<string> = new Set();
  readonly #opened: OpenedSlot | undefined;
  readonly #ring: RingPosition;
  /** Bytes of the ring that were reported. */
  #taken = 0;
  #lostBefore = 0n;
  /** When the counts were read last, nanoseconds since the epoch. */
  #checked = realtime();
  /** Held, or it would be collected with its messages unread. */
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Throws LoadError where the kernel does not take the programs. */
  constructor(form: Form, { ringSize, maxWatches }: SourceSizes) {
    this.backend = `ebpf/${form}`;
    this.#object = LoadedObject.load(CHANGE_HOOKS, form, {
      ring: ringSize,
      ...(maxWatches === undefined ? {} : { watches: maxWatches }),
    });
    this.#watches = new Watches(new WatchMap(this.#object.mapFd("watches")));
    this.#switches = new Switches(form);
    this.#ring = new RingPosition(this.#object.mapFd("ring"));
    this.#lost = new Counter(this.#object.mapFd("lost"));
    if (!this.missing.some(({ hook }) => hook.name === "open"))
      this.#opened = new OpenedSlot(this.#object.mapFd("opened"), encodeMonitor(process.pid));
  }

  /** Hooks that this kernel does not have. */
  get missing(): readonly MissingHook[] {
    return this.#object.missing;
  }

  watch(node: WatchNode): NodeKey {
    return this.#watches.watch(node);
  }

  unwatch(key: NodeKey): void {
    this.#watches.unwatch(key);
  }

  opened(key: NodeKey): Opened | undefined {
    return this.#opened && decodeOpened(this.#opened.take(), key);
  }

  /** A hook tells of a change before it can be seen, or a moment after. */
  untilNow(): () => boolean {
    const { produced } = this.#ring;
    let before = this.#taken;
    let patience = STALLED;
    return () => {
      if (this.#taken > before) patience = STALLED;
      before = this.#taken;
      return before >= produced || --patience < 0;
    };
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
        setImmediate(() => backlog.take(data.bytes)); // after the looks that are due now
      }
    };
    const request: RingRequest = {
      libraryPath: embeddedLibbpf().path,
      ringFd: this.#object.mapFd("ring"),
      backlog: backlog.memory,
    };
    this.#lostBefore = this.#object.skips(); // while nothing was watched yet, nothing was lost
    worker.postMessage(request);
    worker.unref();
    this.#timer = setInterval(() => {
      this.#reportLost(handlers);
      this.#watches.tick();
      this.#reportBlindness(handlers);
    }, TICK);
    this.#timer.unref();
  }

  #take(records: readonly Uint8Array[], handlers: SourceHandlers): void {
    const clocks: ClockOffsets = { monotonic: realtimeOffset(), boottime: boottimeOffset() };
    for (const record of records) {
      this.#taken += RingPosition.sizeOf(record.length);
      const event = decodeEvent(record, clocks);
      if (event === undefined) {
        this.#lose(1, handlers);
        continue;
      }
      if (event.kind === "freed" && event.node !== undefined) this.#watches.freed(event.node);
      if (event.kind === "birth" && event.node !== undefined) this.#watches.born(event.node);
      handlers.onEvent(event);
    }
  }

  programs(): ProgramCounts[] {
    return this.#object.programs();
  }

  #reportLost(handlers: SourceHandlers): void {
    const lost = this.#lost.read() + this.#object.skips();
    const now = realtime();
    if (lost > this.#lostBefore) this.#lose(Number(lost - this.#lostBefore), handlers);
    this.#lostBefore = lost;
    this.#checked = now;
  }

  #reportBlindness({ onBlind, onSeeing }: SourceHandlers): void {
    const reasons = new Map(this.#switches.off().map(({ name, remedy }) => [name, remedy]));
    if (this.#watches.isFull) reasons.set("the kernel's watch map is full", FULL_REMEDY);
    for (const [reason, remedy] of reasons) if (!this.#blindness.has(reason)) onBlind?.(reason, remedy);
    for (const reason of this.#blindness) if (!reasons.has(reason)) onSeeing?.(reason);
    this.#blindness = new Set(reasons.keys());
  }

  #lose(count: number, handlers: SourceHandlers): void {
    this.#watches.sweep();
    handlers.onLost(count, this.#checked);
  }

  /** Detaches. The thread stays blocked in its poll until the process ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#switches[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}
