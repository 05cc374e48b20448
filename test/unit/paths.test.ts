import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { lookAt } from "../../src/watch/look.ts";
import { joinPath, pathBytes, pathText } from "../../src/paths.ts";

test("any bytes come back as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect([...pathBytes(pathText(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("valid text is itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(pathText(Buffer.from(text))).toBe(text);
    }),
  );
});

test("different names stay different, encoded surrogates and overlong forms included", () => {
  const names = [[0xff], [0xfe], [0xed, 0xb2, 0x80], [0x80], [0xc0, 0x80], [0xe2, 0x82], [0xe2, 0x82, 0xac]];
  expect(new Set(names.map((name) => pathText(Uint8Array.from(name)))).size).toBe(names.length);
});

test("a file with such a name is found and read", () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-paths-"));
  try {
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.of(0x61, 0xff, 0x62)]), "hello");
    const [name] = readdirSync(directory, { encoding: "buffer" });
    expect(lookAt(joinPath(directory, pathText(name!)), 0)).toMatchObject({ type: "file", size: 5 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
