import { expect, test } from "bun:test";
import { compareVersions, neededLibraries, newestGlibc } from "../../../build/elf.mjs";

const versions = `
Version symbols section '.gnu.version' contains 2 entries:
  000:   0 (*local*)       2 (GLIBC_2.33)
Version needs section '.gnu.version_r' contains 1 entry:
  000000: Version: 1  File: libc.so.6  Cnt: 3
  0x0010:   Name: GLIBC_2.3.4  Flags: none  Version: 11
  0x0020:   Name: GLIBC_2.14  Flags: none  Version: 10
  0x0030:   Name: GLIBC_2.8  Flags: none  Version: 9
  0x0040:   Name: GLIBC_PRIVATE  Flags: none  Version: 8
`;

const dynamic = `
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libm.so.6]
 0x000000000000000e (SONAME)             Library soname: [libbpf.so]
`;

test("the newest glibc is the highest number, not the last word", () => {
  expect(newestGlibc(versions)).toBe("2.14");
  expect(newestGlibc("")).toBe("0");
});

test("versions compare part by part", () => {
  expect(compareVersions("2.9", "2.28")).toBeLessThan(0);
  expect(compareVersions("2.28", "2.28")).toBe(0);
  expect(compareVersions("2.3.4", "2.3")).toBeGreaterThan(0);
});

test("needed libraries are those of NEEDED, not the SONAME", () => {
  expect(neededLibraries(dynamic)).toEqual(["libc.so.6", "libm.so.6"]);
  expect(neededLibraries("There is no dynamic section in this file.")).toEqual([]);
});
