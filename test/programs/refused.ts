// Damages programs of the BPF object, so that a real kernel and a real libbpf refuse them.
import { functionOf, sectionOf } from "./elf.ts";

/** Of an instruction, in bytes: code, registers (source, destination), offset, immediate (Linux: instruction-set.rst). */
const SIZE = 8;
/** r0 = r5, in which there is nothing when a program begins, nor after a call. */
const READ_R5 = [0xbf, 0x50, 0, 0, 0, 0, 0, 0];
/** r1 = 0; r1 += 1; if r1 != 5000 goto -2 */
const LOOP = [
  ...[0xb7, 0x01, 0, 0, 0, 0, 0, 0],
  ...[0x07, 0x01, 0, 0, 1, 0, 0, 0],
  ...[0x55, 0x01, 0xfe, 0xff, 0x88, 0x13, 0, 0],
];
const EXIT = 0x95;
/** An address is loaded, by two instructions; a call. These libbpf fills in before it comes to CO-RE. */
const LOAD_ADDRESS = 0x18;
const CALL = 0x85;
/** ELFCLASS64, ELFDATA2LSB; ET_REL, EM_BPF. */
const BPF_OBJECT = Buffer.from("7f454c460201010000000000000000000100f700", "hex");

/** Where in an executable the object lies that it carries, to the executable's end. */
export function objectIn(executable: Buffer): Uint8Array {
  const start = executable.indexOf(BPF_OBJECT);
  if (start < 0) throw new Error("no BPF object in there");
  return executable.subarray(start);
}

/** The verifier refuses the program, or all that call the function, at the end: it goes through all of it before. */
export function spoilForVerifier(object: Uint8Array, name: string): void {
  const code = functionOf(object, name);
  for (let at = SIZE; at < code.length; at += SIZE) {
    if (code[at] === EXIT) code.set(READ_R5, at - SIZE);
  }
}

/** The verifier refuses the program for what is left out of its beginning, and has more to say of a loop before. */
export function spoilBehindLoop(object: Uint8Array, program: string): void {
  functionOf(object, program).set(LOOP);
}

/** libbpf cannot relocate the program: no instruction that CO-RE is to change has the form that it must have. */
export function spoilForRelocation(object: Uint8Array, program: string): void {
  const code = functionOf(object, program);
  for (let at = 0; at < code.length; at += SIZE) {
    if (code[at] === LOAD_ADDRESS) at += SIZE;
    else if (code[at] !== CALL) code[at] = 0;
  }
}

/** The kernel has no type or member of this name, for all programs that want it: that name is another then. */
export function hideFromKernel(object: Uint8Array, name: string): void {
  const strings = sectionOf(object, ".BTF");
  const at = Buffer.from(strings.buffer, strings.byteOffset, strings.length).indexOf(`\0${name}\0`);
  if (at < 0) throw new Error(`nothing is named ${name}`);
  strings.fill("X".charCodeAt(0), at + 1, at + 1 + name.length);
}
