import { GENESIS, hashOf, isKeyed, resealed, unseal } from "./chain.ts";
import { Digests } from "./digests.ts";

/** Something that is not as it was written. */
export interface Finding {
  /** Counts the lines given, from 1. */
  readonly line: number;
  readonly what: string;
}

/** Lines that should have come before another. */
interface Gap {
  readonly from: number;
  readonly to: number;
  /** The one that came instead. */
  readonly line: number;
}

/** What a line begins with, as it was printed, that was not written to its end: bpfink was killed, or the disk was full. */
interface Torn extends Finding {
  readonly bytes: Buffer;
}

/** Waited for at a time: each is compared with every line that follows. */
const MOST_TORN = 64;
const CARRIAGE_RETURN = 13;

/** Found and counted, but not kept: who sees so many has seen enough. */
const MOST_FINDINGS = 1000;

/**
 * Walks a chain. Lines come one after the other; a line may come again, as at-least-once delivery
 * has it, but no other may come in its place.
 */
export class Verifier {
  readonly findings: Finding[] = [];
  found = 0;
  /** Lines given, those that came again, and those that were made with a key. */
  lines = 0;
  repeats = 0;
  keyed = 0;
  first: number | undefined;
  /** Highest sequence number, and its hash. */
  last: { readonly seq: number; readonly hash: string } | undefined;
  readonly #keys: Uint8Array[];
  #digests = new Digests();
  #gaps: Gap[] = [];
  /** Not found amiss if the whole line comes: what was not delivered is printed again. */
  #torn: Torn[] = [];
  /** What lines say of their predecessors that have not come, by the sequence number of those. */
  #awaited = new Map<number, { readonly prev: string; readonly line: number }>();
  /** The first line after the last one with a key. */
  #unkeyedSince: number | undefined;

  /**
   * @param keys that lines may have been made with, the likeliest first
   * @param anchor what the first line must follow; else it may be any
   */
  constructor(keys: readonly Uint8Array[], anchor?: { readonly seq: number; readonly hash: string }) {
    this.#keys = [...keys];
    this.#digests.set(0, GENESIS);
    if (anchor === undefined) return;
    this.#digests.set(anchor.seq, anchor.hash);
    this.last = anchor;
  }

  /**
   * @param bytes without the newline; they are changed
   * @param printed as what they were printed, in another format
   * @returns false if the line needs a key, and there is none
   */
  add(bytes: Buffer, printed = bytes): boolean {
    const line = ++this.lines;
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1); // a log that went by a terminal
    this.#mend([printed]);
    const link = unseal(bytes);
    if (link === undefined) {
      this.#tear({ line, what: "is no line of a chain: torn, put in, or not bpfink's", bytes: Buffer.from(bytes) });
      return true;
    }
    const { seq, prev, hash } = link;
    if (isKeyed(hash) && this.#keys.length === 0) return false;
    const isWhole = this.#isWhole(link);
    const what = `seq ${seq} was changed: it does not have its hash`;
    if (!isWhole) this.#tear({ line, what, bytes: resealed(link) });
    this.#noteKey(line, isWhole && isKeyed(hash));
    if (this.#digests.has(seq, hash)) {
      this.repeats++;
      return true;
    }
    const isKnown = this.#digests.has(seq);
    const isBefore = this.first !== undefined && seq < this.first;
    if (isWhole && seq === 1 && prev === GENESIS && (isKnown || isBefore)) this.#beginAnew(line);
    else if (isKnown) {
      if (isWhole) this.#find(line, `seq ${seq} comes a second time, and is another line`);
      return true;
    }
    this.#place(line, seq);
    this.#connect(line, seq, prev, hash);
    return true;
  }

  /**
   * Says what only the end can show.
   *
   * @param toCome lines that will be printed at the next start, in all formats: one of them may be torn at the end
   * @returns how many of the lines are
   */
  end(toCome: readonly Buffer[] = []): number {
    for (const { from, to, line } of this.#gaps) this.#find(line, `${range(from, to)} missing before it`);
    this.#gaps = [];
    const torn = this.#torn.length;
    this.#mend(toCome);
    const mended = torn - this.#torn.length;
    for (const { line, what } of this.#torn) this.#find(line, what);
    this.#torn = [];
    if (this.#keys.length > 0 && this.#unkeyedSince !== undefined) {
      this.#find(this.#unkeyedSince, "from here on no line was made with the key: anybody can have written them");
    }
    this.findings.sort((a, b) => a.line - b.line);
    return mended;
  }

  /** Holds the end against what was last delivered. @param lookUp the hash of a line, if it is known */
  endsAt(delivered: number, head: number, lookUp: (seq: number) => string | undefined): void {
    const { seq, hash } = this.last ?? { seq: 0, hash: GENESIS };
    const known = seq === 0 ? GENESIS : lookUp(seq);
    if (seq > head) this.#find(this.lines, `seq ${seq} is not in the database, which ends at seq ${head}`);
    else if (known !== undefined && known !== hash) this.#find(this.lines, `seq ${seq} is another in the database`);
    else if (seq < delivered) this.#find(this.lines, `${range(seq + 1, delivered)} missing after it, at the end`);
  }

  #isWhole({ hash, canonical }: { readonly hash: string; readonly canonical: Buffer }): boolean {
    if (!isKeyed(hash)) return hashOf(canonical) === hash;
    const at = this.#keys.findIndex((key) => hashOf(canonical, key) === hash);
    if (at > 0) this.#keys.unshift(...this.#keys.splice(at, 1));
    return at >= 0;
  }

  /** A line without a key is vouched for by any later one that has it, through the chain. */
  #noteKey(line: number, isKeyed: boolean): void {
    if (isKeyed) {
      this.keyed++;
      this.#unkeyedSince = undefined;
    } else this.#unkeyedSince ??= line;
  }

  #beginAnew(line: number): void {
    this.#find(
      line,
      "a new chain begins: the database was new, or the logs are in the wrong order; what the old one still told cannot be known",
    );
    for (const { from, to, line } of this.#gaps) this.#find(line, `${range(from, to)} missing before it`);
    this.#gaps = [];
    this.#awaited = new Map();
    this.#digests = new Digests();
    this.#digests.set(0, GENESIS);
    this.first = this.last = undefined;
  }

  /** Whether it comes where its number says. */
  #place(line: number, seq: number): void {
    this.first ??= seq;
    const last = this.last?.seq ?? seq - 1;
    if (seq > last + 1) this.#gaps.push({ from: last + 1, to: seq - 1, line });
    if (seq > last) return;
    this.#find(line, `seq ${seq} is out of order: it comes after seq ${last}`);
    const at = this.#gaps.findIndex(({ from, to }) => from <= seq && seq <= to);
    const gap = this.#gaps[at];
    if (gap === undefined) return;
    const rest = [
      { ...gap, to: seq - 1 },
      { ...gap, from: seq + 1 },
    ].filter(({ from, to }) => from <= to);
    this.#gaps.splice(at, 1, ...rest);
  }

  /** Whether it and its neighbours name each other. */
  #connect(line: number, seq: number, prev: string, hash: string): void {
    this.#digests.set(seq, hash);
    if (!this.#digests.has(seq - 1)) this.#awaited.set(seq - 1, { prev, line });
    else if (!this.#digests.has(seq - 1, prev)) this.#find(line, notFollowing(seq));
    const next = this.#awaited.get(seq);
    this.#awaited.delete(seq);
    if (next !== undefined && next.prev !== hash) this.#find(next.line, notFollowing(seq + 1));
    if (this.last === undefined || seq > this.last.seq) this.last = { seq, hash };
  }

  /** Forgets the torn lines of which these are the whole ones. */
  #mend(whole: readonly Buffer[]): void {
    if (this.#torn.length === 0) return;
    this.#torn = this.#torn.filter((torn) => !whole.some((bytes) => startsWith(bytes, torn.bytes)));
  }

  #tear(torn: Torn): void {
    if (this.#torn.length < MOST_TORN && torn.bytes.length > 0) this.#torn.push(torn);
    else this.#find(torn.line, torn.what);
  }

  #find(line: number, what: string): void {
    this.found++;
    if (this.findings.length < MOST_FINDINGS) this.findings.push({ line, what });
  }
}

const startsWith = (bytes: Buffer, beginning: Buffer): boolean => bytes.subarray(0, beginning.length).equals(beginning);

const range = (from: number, to: number): string => (from === to ? `seq ${from} is` : `seq ${from} to ${to} are`);

const notFollowing = (seq: number): string =>
  `seq ${seq} does not follow the seq ${seq - 1} that is here: one of the two was replaced`;
