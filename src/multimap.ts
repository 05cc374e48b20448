/**
 * A map from keys to sets of values, most of which have one member: that is kept by itself, for a
 * map may have 100,000 keys.
 */
export class MultiMap<K, V extends object> {
  readonly #values = new Map<K, V | Set<V>>();

  add(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, value);
    else if (found instanceof Set) found.add(value);
    else if (found !== value) this.#values.set(key, new Set([found, value]));
  }

  delete(key: K, value: V): void {
    const found = this.#values.get(key);
    if (found === value) this.#values.delete(key);
    else if (found instanceof Set && found.delete(value) && found.size === 0) this.#values.delete(key);
  }

  has(key: K): boolean {
    return this.#values.has(key);
  }

  /** The keys that have a value. Takes as long as there are keys. */
  keysOf(value: V): K[] {
    return [...this.#values]
      .filter(([, found]) => (found instanceof Set ? found.has(value) : found === value))
      .map(([key]) => key);
  }

  /** A copy: what is done with it may change the map. */
  get(key: K): readonly V[] {
    const found = this.#values.get(key);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }
}
