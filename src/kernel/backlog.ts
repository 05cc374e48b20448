/**
 * How many bytes one thread has posted to another that the other has not taken yet. Messages between
 * threads queue without limit; this is what makes the poster wait.
 */
export class Backlog {
  /** To be given to the other thread, which makes its own Backlog of it. */
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Int32Array;

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#bytes = new Int32Array(memory);
  }

  /** Bytes on their way. */
  get bytes(): number {
    return Atomics.load(this.#bytes, 0);
  }

  /** Counts what is posted. */
  add(bytes: number): void {
    Atomics.add(this.#bytes, 0, bytes);
  }

  /** Counts what was taken, and wakes a poster that waits. */
  take(bytes: number): void {
    Atomics.sub(this.#bytes, 0, bytes);
    Atomics.notify(this.#bytes, 0);
  }

  /** Blocks the thread while `limit` bytes or more are on their way. */
  waitBelow(limit: number): void {
    for (let bytes = this.bytes; bytes >= limit; bytes = this.bytes) Atomics.wait(this.#bytes, 0, bytes);
  }
}
