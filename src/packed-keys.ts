import { randomInt } from "node:crypto";
import type { NodeKey } from "./event.ts";

/** So that nobody can make inodes whose keys hash to the same. */
const SEED = randomInt(2 ** 32);

/** Bytes of a key's digits: a file handle of btrfs has 20, an inode number or a handle of ext4, xfs or tmpfs fewer. */
const DIGITS = 20;
/** Digits behind a prefix that fits: `fsid:type:handle` of fanotify, `device:inode` of ebpf. */
const PACKABLE = new RegExp(`^(.+):([0-9a-f]{1,${2 * DIGITS}})$`);
/** Of prefixes, of which there are as many as file systems. */
const MAX_PREFIXES = 1 << 16;
/** No slot. */
export const NONE = -1;
const FIRST_CAPACITY = 64;

/**
 * Keys of inodes in numbered slots, at 40 bytes each, where a string takes 80 and an entry of a Map 40
 * more: there may be 100,000, and a million. What goes with a key is kept by its owner, in an array with
 * the slot as index. Slots are used again; one key may have several.
 */
export class PackedKeys {
  /** Hexadecimal digits, two in a byte, or decimal ones. */
  #digits = new Uint8Array(0);
  /** How many digits; 0: the key is among the odd ones. */
  #lengths = new Uint8Array(0);
  #prefixes = new Uint16Array(0);
  #hashes = new Uint32Array(0);
  /** The slot after this one in its chain, or among those that are free. */
  #next = new Int32Array(0);
  /** Where the chain of each hash begins. */
  #heads = new Int32Array(FIRST_CAPACITY).fill(NONE);
  #free = NONE;
  /** Slots that were ever used. */
  #end = 0;
  #size = 0;
  readonly #knownPrefixes: string[] = [];
  readonly #prefixNumbers = new Map<string, number>();
  /** Keys that cannot be packed. */
  readonly #odd = new Map<number, NodeKey>();

  /** How many slots are in use. */
  get size(): number {
    return this.#size;
  }

  /** Puts a key into a slot of its own. */
  add(key: NodeKey): number {
    if (this.#size === this.#heads.length) this.#rehash();
    const slot = this.#take();
    this.#size++;
    this.#hashes[slot] = hashOf(key);
    this.#link(slot);
    this.#pack(slot, key);
    return slot;
  }

  /** The first slot of a key, or the one after another of its slots; NONE when there is none. */
  find(key: NodeKey, after = NONE): number {
    const hash = hashOf(key);
    let slot = after === NONE ? this.#heads[this.#chainOf(hash)]! : this.#next[after]!;
    while (slot !== NONE && (this.#hashes[slot] !== hash || this.keyOf(slot) !== key)) slot = this.#next[slot]!;
    return slot;
  }

  /** @param slot in use */
  keyOf(slot: number): NodeKey {
    const length = this.#lengths[slot]!;
    if (length === 0) return this.#odd.get(slot)!;
    const digits = this.#digits.subarray(slot * DIGITS, slot * DIGITS + Math.ceil(length / 2)).toHex();
    return `${this.#knownPrefixes[this.#prefixes[slot]!]}:${digits.slice(0, length)}` as NodeKey;
  }

  /** @param slot in use */
  delete(slot: number): void {
    const chain = this.#chainOf(this.#hashes[slot]!);
    if (this.#heads[chain] === slot) this.#heads[chain] = this.#next[slot]!;
    else {
      let before = this.#heads[chain]!;
      while (this.#next[before] !== slot) before = this.#next[before]!;
      this.#next[before] = this.#next[slot]!;
    }
    this.#odd.delete(slot);
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#size--;
  }

  #chainOf(hash: number): number {
    return hash & (this.#heads.length - 1);
  }

  #link(slot: number): void {
    const chain = this.#chainOf(this.#hashes[slot]!);
    this.#next[slot] = this.#heads[chain]!;
    this.#heads[chain] = slot;
  }

  #take(): number {
    const slot = this.#free;
    if (slot !== NONE) {
      this.#free = this.#next[slot]!;
      return slot;
    }
    if (this.#end === this.#next.length) this.#grow(FIRST_CAPACITY + Math.ceil(this.#end * 1.25));
    return this.#end++;
  }

  #pack(slot: number, key: NodeKey): void {
    const [, prefix, digits] = PACKABLE.exec(key) ?? [];
    const number = prefix === undefined ? undefined : this.#numberOf(prefix);
    this.#lengths[slot] = 0;
    if (digits === undefined || number === undefined) return void this.#odd.set(slot, key);
    this.#prefixes[slot] = number;
    this.#lengths[slot] = digits.length;
    this.#digits.set(Uint8Array.fromHex(digits.length % 2 === 0 ? digits : `${digits}0`), slot * DIGITS);
  }

  #numberOf(prefix: string): number | undefined {
    const known = this.#prefixNumbers.get(prefix);
    if (known !== undefined || this.#knownPrefixes.length === MAX_PREFIXES) return known;
    this.#prefixNumbers.set(prefix, this.#knownPrefixes.length);
    return this.#knownPrefixes.push(prefix) - 1;
  }

  /** All slots are in use: so all that were ever used are. */
  #rehash(): void {
    this.#heads = new Int32Array(2 * this.#heads.length).fill(NONE);
    for (let slot = 0; slot < this.#end; slot++) this.#link(slot);
  }

  #grow(capacity: number): void {
    this.#digits = enlarged(this.#digits, new Uint8Array(capacity * DIGITS));
    this.#lengths = enlarged(this.#lengths, new Uint8Array(capacity));
    this.#prefixes = enlarged(this.#prefixes, new Uint16Array(capacity));
    this.#hashes = enlarged(this.#hashes, new Uint32Array(capacity));
    this.#next = enlarged(this.#next, new Int32Array(capacity));
  }
}

/** A map from the keys of inodes, packed. */
export class NodeMap<V> {
  readonly #keys = new PackedKeys();
  readonly #values: (V | undefined)[] = [];

  get size(): number {
    return this.#keys.size;
  }

  has(key: NodeKey): boolean {
    return this.#keys.find(key) !== NONE;
  }

  get(key: NodeKey): V | undefined {
    const slot = this.#keys.find(key);
    return slot === NONE ? undefined : this.#values[slot];
  }

  set(key: NodeKey, value: V): void {
    const slot = this.#keys.find(key);
    this.#values[slot === NONE ? this.#keys.add(key) : slot] = value;
  }

  /** Whether it was there. */
  delete(key: NodeKey): boolean {
    const slot = this.#keys.find(key);
    if (slot === NONE) return false;
    this.#values[slot] = undefined;
    this.#keys.delete(slot);
    return true;
  }
}

const hashOf = (key: NodeKey): number => Bun.hash.xxHash32(key, SEED);

function enlarged<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
