import { JSCallback, type Pointer, toArrayBuffer } from "bun:ffi";
import { messageOf } from "../errors.ts";
import { openLibbpf } from "./libbpf.ts";

/**
 * A thread that does nothing but wait for the ring buffer in ring_buffer__poll and hand on what
 * comes: the latency of a blocked read, and no processor time while nothing happens. It ends with
 * the process; nothing it holds outlives that.
 */

/** What the owner posts to start it. */
export interface RingRequest {
  /** Where libbpf is: /proc/self/fd/N. */
  readonly libraryPath: string;
  readonly ringFd: number;
}

/** What it posts: records in order, each a copy of its own; or why it stopped. */
export type RingMessage = { readonly records: readonly Uint8Array[] } | { readonly error: string };

/** EINTR: a signal came, and nothing else. */
const EINTR = 4;

declare const self: Worker;

self.onmessage = (message: MessageEvent<RingRequest>) => {
  try {
    consume(message.data);
  } catch (error) {
    post({ error: messageOf(error) });
  }
};

function consume({ libraryPath, ringFd }: RingRequest): never {
  const libbpf = openLibbpf(libraryPath);
  let records: Uint8Array[] = [];
  const onSample = new JSCallback(
    (_context: Pointer, data: Pointer, size: bigint) => {
      records.push(new Uint8Array(toArrayBuffer(data, 0, Number(size))).slice());
      return 0;
    },
    { args: ["ptr", "ptr", "u64" /* size_t */], returns: "i32" },
  );
  const ring = libbpf.pointer("ring_buffer__new", libbpf.symbols.ring_buffer__new(ringFd, onSample.ptr, null, null));
  for (;;) {
    const result = libbpf.symbols.ring_buffer__poll(ring, -1);
    if (records.length > 0) {
      post({ records });
      records = [];
    }
    if (result !== -EINTR) libbpf.number("ring_buffer__poll", result);
  }
}

function post(message: RingMessage): void {
  self.postMessage(message);
}
