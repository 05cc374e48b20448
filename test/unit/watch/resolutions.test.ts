import { expect, test } from "bun:test";
import fc from "fast-check";
import type { NodeKey } from "../../../src/event.ts";
import { directoryOf, type EntryKey, type Resolution, Resolutions } from "../../../src/watch/resolutions.ts";
import type { Target } from "../../../src/watch/target.ts";
import { targetOf } from "./events.ts";

const node = (text: string) => text as NodeKey;
const NODES = ["8:1", "8:2", "8:3", "8:4"].map(node);
const NAMES = ["a", "b"];

const roots = ["/r", "/s"].map((path) => targetOf(path));
const targets: readonly Target[] = [
  ...roots,
  ...roots.flatMap((root) => NAMES.map((name) => targetOf(`${root.path}/${name}`, root))),
];

/** What a walk can come to, plain or not: of a member, more often than not, one directory and an inode. */
function resolutionOf(target: Target): fc.Arbitrary<Resolution> {
  const own = target.path.slice(target.path.lastIndexOf("/") + 1);
  const entry = (name: string) => fc.constantFrom(...NODES).map((key): EntryKey => `${key}/${name}`);
  const signature = fc.nat();
  const end = fc.constantFrom(...NODES);
  const place = fc.constantFrom("", "/p", "/q/r");
  const plain = fc
    .record({ signature, end, entry: entry(own), place })
    .map(({ signature, end, entry, place }): Resolution => ({
      ...{ signature, path: `${place}/${own}`, entries: [entry], own: [entry], end },
      ...{ layer: undefined, link: undefined },
    }));
  const any = fc.record({
    signature,
    path: fc.option(fc.constantFrom(`/p/${own}`, "/elsewhere/x"), { nil: undefined }),
    entries: fc.uniqueArray(fc.constantFrom(...NAMES, own).chain(entry), { maxLength: 3 }),
    own: fc.uniqueArray(entry(own), { maxLength: 1 }),
    end: fc.option(end, { nil: undefined }),
    layer: fc.option(end, { nil: undefined }),
    link: fc.constantFrom(undefined, undefined, { path: "/l", stat: {} as never, texts: ["x"] }),
  });
  return fc.oneof({ weight: 2, arbitrary: plain }, { weight: 1, arbitrary: any });
}

/** Sets a target's resolution, or forgets it. */
const step = fc
  .constantFrom(...targets)
  .chain((target) =>
    fc.record({ target: fc.constant(target), next: fc.option(resolutionOf(target), { freq: 3, nil: undefined }) }),
  );

test("resolutions are what was set last, and found by all that they depend on", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const resolutions = new Resolutions();
      const model = new Map<Target, Resolution>();
      const those = (has: (of: Resolution) => boolean) => targets.filter((t) => model.has(t) && has(model.get(t)!));
      const inOrder = (found: Iterable<Target>) => [...found].sort((a, b) => targets.indexOf(a) - targets.indexOf(b));
      for (const { target, next } of steps) {
        if (next === undefined) {
          resolutions.delete(target);
          model.delete(target);
        } else {
          resolutions.set(target, next);
          model.set(target, next);
        }
        expect(targets.map((each) => resolutions.get(each))).toEqual(targets.map((each) => model.get(each)));
        for (const key of NODES) {
          const isIn = ({ entries }: Resolution) => entries.some((entry) => directoryOf(entry) === key);
          const users = those((of) => isIn(of) || of.end === key || of.layer === key);
          expect(inOrder(resolutions.usersOf(key))).toEqual(users);
          expect(resolutions.uses(key)).toBe(users.length > 0);
          expect(inOrder(resolutions.endingAt(key))).toEqual(those(({ end }) => end === key));
          expect(inOrder(resolutions.layeredOn(key))).toEqual(those(({ layer }) => layer === key));
          for (const name of NAMES)
            expect(inOrder(resolutions.through(key, name))).toEqual(
              those(({ entries }) => entries.includes(`${key}/${name}`)),
            );
        }
        for (const name of NAMES)
          expect(inOrder(resolutions.throughAny(name))).toEqual(
            those(({ entries }) => entries.some((entry) => entry.endsWith(`/${name}`))),
          );
      }
    }),
    { numRuns: 300 },
  );
});

test("a target that another set of resolutions has is not taken for its own", () => {
  const [target] = targets.slice(2);
  const entry: EntryKey = `${NODES[0]!}/a`;
  const resolution = { signature: 1, path: "/p/a", entries: [entry], own: [entry], end: node("8:2") };
  const [one, other] = [new Resolutions(), new Resolutions()];
  one.set(target!, { ...resolution, layer: undefined, link: undefined });
  expect([one.get(target!)?.end, other.get(target!)]).toEqual([node("8:2"), undefined]);
});
