import { JSCallback, type Pointer, toArrayBuffer } from "bun:ffi";
import { messageOf } from "../errors.ts";
import { Backlog } from "./backlog.ts";
import { openLibbpf } from "./libbpf.ts";

/**
 * A thread that does nothing but wait for the ring buffer in ring_buffer__poll and hand on what
 * comes: the latency of a blocked read, and no processor time while nothing happens. An owner that
 * falls behind is waited for, with the records in the ring: what finds no room there is counted. It
 * ends with the process; nothing it holds outlives that.
 */

/** What the owner posts to start it. */
export interface RingRequest {
  /** Where libbpf is: /proc/self/fd/N. */
  readonly libraryPath: string;
  readonly ringFd: number;
  /** Of a Backlog, in which the owner counts the bytes that it took. */
  readonly backlog: SharedArrayBuffer;
}

/** What it posts: records in order, each a copy of its own, and their bytes in all; or why it stopped. */
export type RingMessage =
  { readonly records: readonly Uint8Array[]; readonly bytes: number } | { readonly error: string };

/** EINTR: a signal came, and nothing else. */
const EINTR = 4;
/** What the callback answers to end a poll, which goes on for as long as records come. */
const ECANCELED = 125;
/** Bytes after which records are handed on although more have come: some 30 records, 1 ms of the owner's time. */
const BATCH = 1 << 16;

declare const self: Worker;

self.onmessage = (message: MessageEvent<RingRequest>) => {
  try {
    consume(message.data);
  } catch (error) {
    post({ error: messageOf(error) });
  }
};

function consume({ libraryPath, ringFd, backlog: memory }: RingRequest): never {
  const libbpf = openLibbpf(libraryPath);
  const backlog = new Backlog(memory);
  let records: Uint8Array[] = [];
  let bytes = 0;
  const onSample = new JSCallback(
    (_context: Pointer, data: Pointer, size: bigint) => {
      records.push(new Uint8Array(toArrayBuffer(data, 0, Number(size))).slice());
      bytes += Number(size);
      return bytes < BATCH ? 0 : -ECANCELED;
    },
    { args: ["ptr", "ptr", "u64" /* size_t */], returns: "i32" },
  );
  const ring = libbpf.pointer("ring_buffer__new", libbpf.symbols.ring_buffer__new(ringFd, onSample.ptr, null, null));
  for (;;) {
    backlog.waitBelow(BATCH); // so that the owner's messages come to an end, and its timers to their turn
    const result = libbpf.symbols.ring_buffer__poll(ring, -1);
    if (records.length > 0) {
      backlog.add(bytes);
      post({ records, bytes });
      records = [];
      bytes = 0;
    }
    if (result !== -EINTR && result !== -ECANCELED) libbpf.number("ring_buffer__poll", result);
  }
}

function post(message: RingMessage): void {
  self.postMessage(message);
}
