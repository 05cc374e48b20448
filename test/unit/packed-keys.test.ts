import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { NodeKey } from "../../src/event.ts";
import { NodeMap, NONE, PackedKeys } from "../../src/packed-keys.ts";

const key = (text: string) => text as NodeKey;

/** As fanotify and ebpf have them, near each other, and what fits nowhere. */
const keys = [
  ...[
    "b9f0b1c2d3e4f506:1:0a0000000b000000",
    "b9f0b1c2d3e4f506:1:0a0000000b000001",
    "b9f0b1c2d3e4f507:1:0a0000000b000000",
  ],
  ...["b9f0b1c2d3e4f506:129:0a0000000b000000", `b9f0:77:${"0123456789abcdef".repeat(3).slice(0, 40)}`],
  ...["266338304:1", "266338304:10", "266338304:01", "266338304:18446744073709551615", "26633830:41"],
  ...["", ":", "x", "1:", ":1", "1:2:", "1:X", "1:AB", `1:${"0".repeat(41)}`, `f8:${"ab".repeat(60)}`, "1:é", "1:2\n"],
].map(key);

const slotsOf = (packed: PackedKeys, of: NodeKey): number[] => {
  const slots: number[] = [];
  for (let slot = packed.find(of); slot !== NONE; slot = packed.find(of, slot)) slots.push(slot);
  return slots.sort((a, b) => a - b);
};

describe("packed keys", () => {
  test.each(keys)("%p comes out as it went in", (one) => {
    const packed = new PackedKeys();
    expect(packed.keyOf(packed.add(one))).toBe(one);
    expect(keys.filter((other) => packed.find(other) !== NONE)).toEqual([one]);
  });

  test("are in the slots that they were put into, until they are taken out", () => {
    const step = fc.record({ add: fc.boolean(), key: fc.constantFrom(...keys), which: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const packed = new PackedKeys();
        const model = new Map<number, NodeKey>();
        for (const { add, key, which } of steps) {
          if (add) {
            const slot = packed.add(key);
            expect(model.has(slot)).toBe(false);
            model.set(slot, key);
          } else {
            const slot = [...model.keys()].filter((slot) => model.get(slot) === key)[which];
            if (slot === undefined) continue;
            packed.delete(slot);
            model.delete(slot);
          }
        }
        expect(packed.size).toBe(model.size);
        for (const one of keys) {
          const slots = [...model.keys()].filter((slot) => model.get(slot) === one).sort((a, b) => a - b);
          expect(slotsOf(packed, one)).toEqual(slots);
          expect(slots.map((slot) => packed.keyOf(slot))).toEqual(slots.map(() => one));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("use no more slots than there were keys at a time", () => {
    const packed = new PackedKeys();
    const many = Array.from({ length: 10_000 }, (_, i) => key(`266338304:${i}`));
    for (let round = 0; round < 3; round++) {
      const slots = many.map((one) => packed.add(one));
      expect(Math.max(...slots)).toBe(many.length - 1);
      for (const slot of slots) packed.delete(slot);
    }
    expect(packed.size).toBe(0);
  });
});

test("a map of nodes does what a Map does", () => {
  const step = fc.record({ set: fc.boolean(), key: fc.constantFrom(...keys), value: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const map = new NodeMap<number>();
      const model = new Map<NodeKey, number>();
      for (const { set, key, value } of steps) {
        if (set) {
          map.set(key, value);
          model.set(key, value);
        } else expect(map.delete(key)).toBe(model.delete(key));
        expect(keys.map((one) => [map.has(one), map.get(one)])).toEqual(
          keys.map((one) => [model.has(one), model.get(one)]),
        );
        expect(map.size).toBe(model.size);
      }
    }),
  );
});
