/** Bytes kept of each hash: enough that nobody finds another line with the same (2^128 tries). */
const SIZE = 16;
const PAGE = 256;

/** A hash of the chain for each sequence number, in 16 bytes each where the numbers are dense. */
export class Digests {
  readonly #pages = new Map<number, Buffer>();
  readonly #wanted = Buffer.alloc(SIZE);

  set(seq: number, hash: string): void {
    const number = Math.floor(seq / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = Buffer.alloc(PAGE * (SIZE + 1));
      this.#pages.set(number, page);
    }
    const at = (seq % PAGE) * (SIZE + 1);
    page[at] = 1;
    page.write(digits(hash), at + 1, SIZE, "hex");
  }

  /** Whether there is one; if `hash` is given, whether it is that. */
  has(seq: number, hash?: string): boolean {
    const page = this.#pages.get(Math.floor(seq / PAGE));
    const at = (seq % PAGE) * (SIZE + 1);
    if (page === undefined || page[at] === 0) return false;
    if (hash === undefined) return true;
    this.#wanted.write(digits(hash), 0, SIZE, "hex");
    return page.compare(this.#wanted, 0, SIZE, at + 1, at + 1 + SIZE) === 0;
  }
}

/** The first 32 of the 64 digits, which are at the end whatever is before them. */
const digits = (hash: string): string => hash.slice(-64, -32);
