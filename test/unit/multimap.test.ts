import { expect, test } from "bun:test";
import fc from "fast-check";
import { MultiMap } from "../../src/multimap.ts";

const values = [0, 1, 2].map((id) => ({ id }));

test("a key has the values that were added and not deleted, each once, in the order of their coming", () => {
  const step = fc.record({ add: fc.boolean(), key: fc.nat(2), value: fc.constantFrom(...values) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const map = new MultiMap<number, { id: number }>();
      const model = [0, 1, 2].map(() => new Set<{ id: number }>());
      for (const { add, key, value } of steps) {
        if (add) {
          map.add(key, value);
          model[key]!.add(value);
        } else {
          map.delete(key, value);
          model[key]!.delete(value);
        }
        expect([0, 1, 2].map((k) => map.get(k))).toEqual(model.map((set) => [...set]));
        const keys = (value: { id: number }) => [0, 1, 2].filter((k) => model[k]!.has(value));
        expect(values.map((value) => map.keysOf(value).sort())).toEqual(values.map(keys));
        expect([0, 1, 2].map((k) => map.has(k))).toEqual(model.map((set) => set.size > 0));
      }
    }),
    { numRuns: 500 },
  );
});

test("what get() returned stays as it is while the map changes", () => {
  const map = new MultiMap<string, { id: number }>();
  for (const value of values) map.add("key", value);
  const got = map.get("key");
  for (const value of got) map.delete("key", value);
  expect([got, map.get("key"), map.has("key")]).toEqual([values, [], false]);
});
