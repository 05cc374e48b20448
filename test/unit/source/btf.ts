// Reads the types of a BPF object: its .BTF section, as Documentation/bpf/btf.rst of Linux describes it.
import { sectionOf, stringAt, viewOf } from "../../programs/elf.ts";

/** What a type is made of, in bytes. */
export interface Member {
  readonly offset: number;
  readonly size: number;
}

export interface Struct {
  readonly size: number;
  readonly members: Readonly<Record<string, Member>>;
}

interface Type {
  readonly kind: number;
  readonly name: string;
  /** Size in bytes or a type id, as the kind has it. */
  readonly sizeOrType: number;
  /** What follows the common part. */
  readonly rest: DataView;
  readonly vlen: number;
  readonly kindFlag: boolean;
}

// enum of BTF_KIND_* (linux/btf.h).
const PTR = 2;
const ARRAY = 3;
const STRUCT = 4;
const ENUM = 6;
/** typedef, volatile, const, restrict, type tag: another type under another name. */
const WRAPPERS = [8, 9, 10, 11, 18];

/** Bytes after the common 12, by kind. */
const REST: Readonly<Record<number, (vlen: number) => number>> = {
  1: () => 4, // int
  2: () => 0, // pointer
  3: () => 12, // array
  4: (vlen) => 12 * vlen, // struct
  5: (vlen) => 12 * vlen, // union
  6: (vlen) => 8 * vlen, // enum
  7: () => 0, // forward declaration
  8: () => 0,
  9: () => 0,
  10: () => 0,
  11: () => 0,
  12: () => 0, // function
  13: (vlen) => 8 * vlen, // function prototype
  14: () => 4, // variable
  15: (vlen) => 12 * vlen, // section
  16: () => 0, // float
  17: () => 4, // declaration tag
  18: () => 0,
  19: (vlen) => 12 * vlen, // enum64
};

export class Btf {
  /** Type ids begin at 1; 0 is void. */
  readonly #types: readonly Type[];
  readonly #strings: Uint8Array;

  /** @param elf a 64-bit little-endian ELF file */
  constructor(elf: Uint8Array) {
    const section = sectionOf(elf, ".BTF");
    const view = viewOf(section);
    if (view.getUint16(0, true) !== 0xeb9f) throw new Error(".BTF: wrong magic");
    const headerLength = view.getUint32(4, true);
    const [typeOffset, typeLength, stringOffset, stringLength] = [8, 12, 16, 20].map((at) => view.getUint32(at, true));
    const typeStart = headerLength + typeOffset!;
    const stringStart = headerLength + stringOffset!;
    this.#strings = section.subarray(stringStart, stringStart + stringLength!);
    this.#types = readTypes(section.subarray(typeStart, typeStart + typeLength!), this.#strings);
  }

  /** A struct by its name: its size, and where each member is. Throws if there is none, or a bit field in it. */
  struct(name: string): Struct {
    const type = this.#named(STRUCT, name);
    const members: Record<string, Member> = {};
    for (let i = 0; i < type.vlen; i++) {
      const [nameAt, typeId, bits] = [0, 4, 8].map((at) => type.rest.getUint32(12 * i + at, true));
      if (type.kindFlag || bits! % 8 !== 0) throw new Error(`struct ${name} has bit fields`);
      members[stringAt(this.#strings, nameAt!)] = { offset: bits! / 8, size: this.#sizeOf(typeId!) };
    }
    return { size: type.sizeOrType, members };
  }

  /** The values of an enum by its name; undefined when the object has no such type. */
  enumeration(name: string): Readonly<Record<string, number>> | undefined {
    const type = this.#types.find((candidate) => candidate.kind === ENUM && candidate.name === name);
    if (type === undefined) return undefined;
    const values: Record<string, number> = {};
    for (let i = 0; i < type.vlen; i++) {
      values[stringAt(this.#strings, type.rest.getUint32(8 * i, true))] = type.rest.getInt32(8 * i + 4, true);
    }
    return values;
  }

  #named(kind: number, name: string): Type {
    const found = this.#types.find((type) => type.kind === kind && type.name === name);
    if (found === undefined) throw new Error(`the object's BTF has no type ${name} of kind ${kind}`);
    return found;
  }

  #sizeOf(id: number): number {
    const type = this.#types[id - 1];
    if (type === undefined) throw new Error(`no type ${id}`);
    if (type.kind === PTR) return 8;
    if (type.kind === ARRAY) return this.#sizeOf(type.rest.getUint32(0, true)) * type.rest.getUint32(8, true);
    return WRAPPERS.includes(type.kind) ? this.#sizeOf(type.sizeOrType) : type.sizeOrType;
  }
}

function readTypes(bytes: Uint8Array, strings: Uint8Array): Type[] {
  const view = viewOf(bytes);
  const types: Type[] = [];
  for (let at = 0; at < bytes.length;) {
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const vlen = info & 0xffff;
    const length = REST[kind]?.(vlen);
    if (length === undefined) throw new Error(`BTF kind ${kind} is not known`);
    types.push({
      kind,
      name: stringAt(strings, view.getUint32(at, true)),
      sizeOrType: view.getUint32(at + 8, true),
      rest: viewOf(bytes.subarray(at + 12, at + 12 + length)),
      vlen,
      kindFlag: info >>> 31 === 1,
    });
    at += 12 + length;
  }
  return types;
}
