// What the build makes, from what, and how. Each step writes to the path it is given, outside dist's final names.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bunEnvironment } from "./bun.mjs";
import { capture } from "./command.mjs";
import { checkLoadsAnywhere, checkSections } from "./elf.mjs";
import { BUN, DIST, ROOT } from "./project.mjs";

/**
 * @typedef {object} Step
 * @property {string} output name in dist
 * @property {readonly string[]} inputs files and directories that decide what comes out
 * @property {(file: string) => Promise<void>} make writes the output to file
 */

/** @type {readonly Step[]} */
export const STEPS = [
  { output: "bpfink.bpf.o", inputs: ["bpf", "build/steps.mjs"], make: makeBpfObject },
  {
    output: "libbpf.so",
    inputs: ["build/libbpf-shim.c", "build/kernel-types.c", "build/libbpf.map", "build/steps.mjs", "build/elf.mjs"],
    make: makeLibbpf,
  },
  {
    output: "bpfink",
    inputs: [
      "src",
      "dist/bpfink.bpf.o",
      "dist/libbpf.so",
      "package.json",
      "package-lock.json",
      "tsconfig.json",
      "build/steps.mjs",
      "build/elf.mjs",
    ],
    make: makeExecutable,
  },
  // what install.sh fetches, beside the executable: dist can be served as it is
  copied("install.sh"),
  copied("bpfink.service"),
  { output: "SHA256SUMS", inputs: ["dist/bpfink", "dist/bpfink.service", "build/steps.mjs"], make: makeSums },
];

/**
 * @param {string} name in build, and in dist
 * @returns {Step}
 */
function copied(name) {
  return { output: name, inputs: [`build/${name}`], make: (file) => copyFile(join(ROOT, "build", name), file) };
}

/**
 * In sha256sum's format.
 * @param {string} file
 */
async function makeSums(file) {
  const digest = (/** @type {string} */ name) =>
    createHash("sha256")
      .update(readFileSync(join(DIST, name)))
      .digest("hex");
  await writeFile(file, ["bpfink", "bpfink.service"].map((name) => `${digest(name)}  ${name}\n`).join(""));
}

/**
 * The BPF program. BTF stays (CO-RE needs it), DWARF goes: up to 99 of 100 bytes.
 * @param {string} file
 */
async function makeBpfObject(file) {
  await capture("clang", [
    ..."-O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86".split(" "),
    // asm/types.h, for linux/types.h: clang does not look there for the target bpf
    ...["-idirafter", "/usr/include/x86_64-linux-gnu"],
    ...["-c", join(ROOT, "bpf/bpfink.bpf.c"), "-o", file],
  ]);
  await capture("llvm-strip", ["-g", file]);
  await checkSections(file, [".BTF", ".BTF.ext"]);
}

/**
 * libbpf, libelf and zlib as one shared library that shows libbpf's interface and that of kernel-types.c; see
 * libbpf-shim.c.
 * @param {string} file
 */
async function makeLibbpf(file) {
  await capture("clang", [
    ..."-O2 -fPIC -fno-builtin -Wall -Werror -ffunction-sections -shared".split(" "),
    ...["libbpf-shim.c", "kernel-types.c"].map((name) => join(ROOT, "build", name)),
    ..."-Wl,--whole-archive -l:libbpf.a -Wl,--no-whole-archive -l:libelf.a -l:libz.a".split(" "),
    ..."-Wl,--wrap=btf__load_vmlinux_btf,--wrap=btf__free".split(" "),
    ..."-Wl,--gc-sections -Wl,--no-undefined -Wl,-z,relro,-z,now,-z,noexecstack -Wl,-s -Wl,-soname,libbpf.so".split(
      " ",
    ),
    `-Wl,--version-script=${join(ROOT, "build/libbpf.map")}`,
    ...["-o", file],
  ]);
  await checkLoadsAnywhere(file, ["libc.so.6"]);
}

/**
 * The executable. It must not read .env or bunfig.toml where it is started (a preload there would run as root);
 * bytecode halves the start, and needs the format esm for Workers and top-level await.
 * @param {string} file
 */
async function makeExecutable(file) {
  await capture(
    BUN,
    [
      ..."build --compile --minify --bytecode --format=esm".split(" "),
      ..."--no-compile-autoload-dotenv --no-compile-autoload-bunfig".split(" "),
      ...["src/main.ts", "src/kernel/ring.worker.ts"],
      `--outfile=${file}`,
    ],
    { cwd: ROOT, env: bunEnvironment() },
  );
  await checkLoadsAnywhere(file, ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6", "ld-linux-x86-64.so.2"]);
}
