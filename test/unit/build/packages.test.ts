import { expect, test } from "bun:test";
import { lockfilesAgree } from "../../../build/npm.mjs";
import { missingPackages, PACKAGES, packagesFor } from "../../../build/packages.mjs";

test("a package counts as installed only with that very status", () => {
  const report = "clang installed\nllvm config-files\nlibbpf-dev unpacked\nlibelf-dev-doc installed\n";
  expect(missingPackages(["clang", "llvm", "libbpf-dev", "libelf-dev", "strace"], report)).toEqual([
    "llvm",
    "libbpf-dev",
    "libelf-dev",
    "strace",
  ]);
});

test("without dpkg-query's report, everything is missing", () => {
  expect(missingPackages(["clang"], "")).toEqual(["clang"]);
});

test("purposes add up", () => {
  const table = [
    { name: "clang", purpose: "build", reason: "" },
    { name: "strace", purpose: "test", reason: "" },
    { name: "qemu-system-x86", purpose: "vm", reason: "" },
  ] as const;
  expect(packagesFor(["build"], table)).toEqual(["clang"]);
  expect(packagesFor(["build", "vm"], table)).toEqual(["clang", "qemu-system-x86"]);
});

test("every package stands once in the table, with a reason", () => {
  expect(new Set(PACKAGES.map(({ name }) => name)).size).toBe(PACKAGES.length);
  expect(PACKAGES.filter(({ reason }) => reason === "")).toEqual([]);
});

test("node_modules agrees with the lock if only optional packages are absent", () => {
  const bun = { version: "1.4.5", integrity: "sha512-a" };
  const other = { version: "1.4.5", integrity: "sha512-b", optional: true };
  const wanted = { packages: { "": {}, "node_modules/bun": bun, "node_modules/@oven/bun-darwin": other } };
  expect(lockfilesAgree(wanted, { packages: { "node_modules/bun": bun } })).toBe(true);
  expect(lockfilesAgree(wanted, { packages: {} })).toBe(false);
  expect(lockfilesAgree(wanted, { packages: { "node_modules/bun": { ...bun, version: "1.4.4" } } })).toBe(false);
  expect(lockfilesAgree(wanted, { packages: { "node_modules/bun": bun, "node_modules/stray": bun } })).toBe(false);
});
