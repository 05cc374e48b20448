// Reads ELF files of 64 bits, little-endian, as elf(5) describes them. What is returned lies in the file: written to, it changes.

interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The content of a section. Throws if there is none of this name. */
export function sectionOf(elf: Uint8Array, name: string): Uint8Array {
  const found = sectionsOf(elf).find((section) => section.name === name);
  if (found === undefined) throw new Error(`no section ${name}`);
  return found.bytes;
}

/** The code of a function. Throws if there is none of this name. */
export function functionOf(elf: Uint8Array, name: string): Uint8Array {
  const found = functionsOf(elf).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no function ${name}`);
  return found.code;
}

/** All functions, in the order of the sections that they are in. */
export function functionsOf(elf: Uint8Array): readonly { readonly name: string; readonly code: Uint8Array }[] {
  const [sections, symbols, names] = [sectionsOf(elf), sectionOf(elf, ".symtab"), sectionOf(elf, ".strtab")];
  const view = viewOf(symbols);
  return Array.from({ length: symbols.length / SYMBOL_SIZE }, (_, index) => {
    const at = index * SYMBOL_SIZE;
    const [start, size] = [8, 16].map((offset) => Number(view.getBigUint64(at + offset, true)));
    return { at, type: symbols[at + 4]! & 0xf, section: view.getUint16(at + 6, true), start: start!, size: size! };
  })
    .filter(({ type }) => type === FUNCTION)
    .sort((one, other) => one.section - other.section)
    .map(({ at, section, start, size }) => ({
      name: stringAt(names, view.getUint32(at, true)),
      code: sections[section]!.bytes.subarray(start, start + size),
    }));
}

/** STT_FUNC. */
const FUNCTION = 2;
/** sizeof(Elf64_Sym). */
const SYMBOL_SIZE = 24;

function sectionsOf(elf: Uint8Array): Section[] {
  const view = viewOf(elf);
  // \x7fELF, ELFCLASS64, ELFDATA2LSB.
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) throw new Error("no ELF of 64 bits");
  const table = Number(view.getBigUint64(0x28, true));
  const [entrySize, count, namesIndex] = [0x3a, 0x3c, 0x3e].map((at) => view.getUint16(at, true));
  const sections = Array.from({ length: count! }, (_, index) => {
    const at = table + index * entrySize!;
    const start = Number(view.getBigUint64(at + 0x18, true));
    const size = Number(view.getBigUint64(at + 0x20, true));
    return { nameAt: view.getUint32(at, true), bytes: elf.subarray(start, start + size) };
  });
  const names = sections[namesIndex!]!.bytes;
  return sections.map(({ nameAt, bytes }) => ({ name: stringAt(names, nameAt), bytes }));
}

/** Up to the NUL. */
export function stringAt(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString();
}

export const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
