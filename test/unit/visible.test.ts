import { expect, test } from "bun:test";
import fc from "fast-check";
import { toJson, visible, visibleWithTabs } from "../../src/visible.ts";

test("what would steer a terminal is shown as its number, a byte that is no UTF-8 as a byte", () => {
  expect(visible("a\u001b[2J\u009b\u202eb\tc\udcff\ud800ä😀")).toBe(
    "a\\u001b[2J\\u009b\\u202eb\\u0009c\\xff\\ud800ä😀",
  );
  expect(visibleWithTabs("a\tb\u0007")).toBe("a\tb\\u0007");
});

test("JSON means the same, whatever is in it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const json = toJson({ text });
      expect(JSON.parse(json)).toEqual({ text });
      expect(json).toBe(visible(json));
    }),
  );
});
