import { embeddedLibbpf } from "./assets.ts";

/** The bits of a watch's flags that say where a directory lies (WATCH_SCOPES_HERE, _BELOW of bpf/watch.bpf.h). */
export const HERE = { first: 8, count: 12 };
/** What is born in a directory lies where it does. */
export const BELOW = { first: 20, count: 12 };

const maskOf = ({ first, count }: typeof HERE): number => (((1 << count) - 1) << first) >>> 0;
export const SCOPES_BELOW = maskOf(BELOW);
export const SCOPES = (maskOf(HERE) | SCOPES_BELOW) >>> 0;

/** Sizes in bpf/excludes.bpf.h. */
export const SHAPES = 8;
export const NAMES = 512;
export const EXCLUDED_NAME = { size: 68, shape: 0, prefix: 4, prefixSize: 48, suffix: 52, suffixSize: 16 } as const;

/** A name, or all that begin and end so, in some scopes. */
export interface NameRule {
  /** The name, or what is before the star. */
  readonly prefix: Uint8Array;
  /** What is behind the star; undefined: there is none. */
  readonly suffix: Uint8Array | undefined;
  /** In which of them: bits of SCOPES. */
  readonly scopes: number;
}

/** A struct shape (bpf/excludes.bpf.h), as the word that it is. */
function shapeOf({ prefix, suffix }: NameRule): number {
  return suffix === undefined ? 1 : 2 | (prefix.length << 8) | (suffix.length << 16);
}

/** What the two maps are to hold: words of shapes, keys and values of names. As much of the rules as finds room. */
export function encodeRules(rules: readonly NameRule[]): {
  readonly shapes: readonly number[];
  readonly names: readonly (readonly [Uint8Array, number])[];
} {
  const { size, prefix: prefixAt, prefixSize, suffix: suffixAt, suffixSize } = EXCLUDED_NAME;
  const shapes: number[] = [];
  const names = new Map<string, readonly [Uint8Array, number]>();
  for (const rule of rules) {
    const { prefix, suffix = new Uint8Array(), scopes } = rule;
    if (prefix.length > prefixSize || suffix.length > suffixSize) continue;
    const shape = shapeOf(rule);
    if (!shapes.includes(shape) && shapes.push(shape) > SHAPES) {
      shapes.pop();
      continue;
    }
    const key = new Uint8Array(size);
    new DataView(key.buffer).setUint32(0, shapes.indexOf(shape), true);
    key.set(prefix, prefixAt);
    key.set(suffix, suffixAt);
    const before = names.get(key.toHex())?.[1];
    if (before === undefined && names.size === NAMES) continue;
    names.set(key.toHex(), [key, ((before ?? 0) | scopes) >>> 0]);
  }
  return { shapes, names: [...names.values()] };
}

/** The maps of names that the hooks leave out. */
export class ExcludeMaps {
  readonly #shapes: number;
  readonly #names: number;
  #keys: readonly Uint8Array[] = [];

  /** @param shapes descriptor of the map of that name */
  constructor(shapes: number, names: number) {
    this.#shapes = shapes;
    this.#names = names;
  }

  /** Leaves out these names, and no others. */
  set(rules: readonly NameRule[]): void {
    const { shapes, names } = encodeRules(rules);
    const { libbpf } = embeddedLibbpf();
    const update = (fd: number, key: Uint8Array | Uint32Array, word: number) =>
      libbpf.number("bpf_map_update_elem", libbpf.symbols.bpf_map_update_elem(fd, key, Uint32Array.of(word), 0n));
    for (const key of this.#keys) libbpf.symbols.bpf_map_delete_elem(this.#names, key);
    for (let i = 0; i < SHAPES; i++) update(this.#shapes, Uint32Array.of(i), shapes[i] ?? 0);
    for (const [key, scopes] of names) update(this.#names, key, scopes);
    this.#keys = names.map(([key]) => key);
  }
}
