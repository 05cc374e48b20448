import type { KernelEvent } from "../event.ts";
import { embeddedLibbpf, ringWorkerUrl } from "../kernel/assets.ts";
import { Backlog } from "../kernel/backlog.ts";
import { boottimeOffset, realtime, realtimeOffset } from "../kernel/libc.ts";
import type { LoadedObject } from "../kernel/load.ts";
import { Counter, RingPosition } from "../kernel/maps.ts";
import type { RingMessage, RingRequest } from "../kernel/ring.worker.ts";
import { type ClockOffsets, decodeEvent } from "./decode.ts";
import type { SourceHandlers } from "./source.ts";

/** How often the counts of lost records and skipped programs are read, and the owner is called, in milliseconds. */
const TICK = 1000;
/** What was changed when events were lost is found by then, in milliseconds. */
const AFTERMATH = 5000;
/** A ring that was asked about so often, in turns of the event loop 20 ms apart, and does not move will not: its thread is stopped. */
const STALLED = 100;

/** What comes through the ring of an object, and what is known to be missing. */
interface RingHandlers extends Pick<SourceHandlers, "onEvent" | "onLost" | "onError"> {
  /** Called every second. */
  onTick(): void;
}

/** The ring buffer of an object (bpf/report.bpf.h), and the thread that waits for it. */
export class EventRing implements Disposable {
  readonly #object: LoadedObject;
  readonly #lost: Counter;
  readonly #ring: RingPosition;
  /** Bytes of the ring that were reported. */
  #taken = 0;
  #lostBefore = 0n;
  /** performance.now() until which changes may be found whose events are among those lost. */
  #lossUntil = 0;
  /** When the counts were read last, nanoseconds since the epoch. */
  #checked = realtime();
  /** Held, or it would be collected with its messages unread. */
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(object: LoadedObject) {
    this.#object = object;
    this.#ring = new RingPosition(object.mapFd("ring"));
    this.#lost = new Counter(object.mapFd("lost"));
  }

  /** See Source. */
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

  /** See Source. */
  hasLost(): boolean {
    return performance.now() < this.#lossUntil || this.#countLost() > this.#lostBefore;
  }

  start(handlers: RingHandlers): void {
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
      try {
        this.#reportLost(handlers);
      } catch (error) {
        // somebody closed the descriptors of programs
        return handlers.onError(error instanceof Error ? error : new Error(String(error)));
      }
      handlers.onTick();
    }, TICK);
    this.#timer.unref();
  }

  #take(records: readonly Uint8Array[], handlers: RingHandlers): void {
    const clocks: ClockOffsets = { monotonic: realtimeOffset(), boottime: boottimeOffset() };
    for (const record of records) {
      this.#taken += RingPosition.sizeOf(record.length);
      const event: KernelEvent | undefined = decodeEvent(record, clocks);
      if (event === undefined) handlers.onLost(1, this.#checked);
      else handlers.onEvent(event);
    }
  }

  #countLost(): bigint {
    return this.#lost.read() + this.#object.skips();
  }

  #reportLost(handlers: RingHandlers): void {
    const lost = this.#countLost();
    const now = realtime();
    if (lost > this.#lostBefore) {
      this.#lossUntil = performance.now() + AFTERMATH;
      handlers.onLost(Number(lost - this.#lostBefore), this.#checked);
    }
    this.#lostBefore = lost;
    this.#checked = now;
  }

  /** The thread stays blocked in its poll until the process ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
