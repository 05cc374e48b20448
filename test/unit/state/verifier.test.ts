import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GENESIS, seal } from "../../../src/state/chain.ts";
import { Verifier } from "../../../src/state/verifier.ts";

const KEY = Buffer.from("k".repeat(32));

/** A log of so many lines, from seq 1. @param keyFor the key of a line, if any */
function logOf(count: number, text = "", keyFor: (seq: number) => Uint8Array | undefined = () => undefined): string[] {
  let prev = GENESIS;
  return Array.from({ length: count }, (_, i) => {
    const bare = JSON.stringify({ time: "2026-11-23T20:17:18.276502Z", seq: i + 1, text: `${text}${i + 1}` });
    const sealed = seal(bare, prev, keyFor(i + 1));
    prev = sealed.hash;
    return sealed.line;
  });
}

/** What is found: `LINE: what`. */
function found(log: readonly string[], keys: readonly Uint8Array[] = [], ended?: readonly string[]): string[] {
  const verifier = new Verifier(keys);
  for (const line of log) expect(verifier.add(Buffer.from(line))).toBe(true);
  verifier.end();
  if (ended !== undefined) {
    verifier.endsAt(ended.length, ended.length, (seq) => JSON.parse(ended[seq - 1] ?? "{}").hash);
  }
  expect(verifier.found).toBe(verifier.findings.length);
  return verifier.findings.map(({ line, what }) => `${line}: ${what}`);
}

const log = logOf(10);
const without = (...seqs: number[]) => log.filter((_, i) => !seqs.includes(i + 1));

describe("nothing is found", () => {
  const whole: readonly (readonly [string, readonly string[]])[] = [
    ["in a log that is whole", log],
    ["in none", []],
    ["in one whose beginning was rotated away", log.slice(4)],
    ["where a crash printed lines again", [...log.slice(0, 6), ...log.slice(3, 8), ...log.slice(2)]],
    ["where the last line comes again", [...log, log[9]!]],
    ["where it went by a terminal", log.map((line) => `${line}\r`)],
    ...[5, 40, 60, 100, 150, 220, log[5]!.length - 1].map(
      (bytes) =>
        [
          `where a crash tore a line after ${bytes} bytes`,
          [...log.slice(0, 5), log[5]!.slice(0, bytes), ...log.slice(3)],
        ] as const,
    ),
    [
      "where several did",
      [...log.slice(0, 5), log[5]!.slice(0, 99), ...log.slice(3, 9), log[9]!.slice(0, 250), log[9]!],
    ],
  ];
  test.each(whole)("%s", (_what, lines) => expect(found(lines)).toEqual([]));
});

describe("found, and named by its line:", () => {
  const changed = (seq: number) =>
    log.map((line, i) => (i + 1 === seq ? line.replace('text":"', 'text":"evil ') : line));
  /** With a hash of its own, as who changed the program's output would make it. */
  const rehashed = (seq: number) => {
    const { prev } = JSON.parse(log[seq - 1]!) as { prev: string };
    return seal(JSON.stringify({ time: "", seq, text: "evil" }), prev).line;
  };
  const hash = "f".repeat(64);
  const broken: readonly (readonly [string, readonly string[], ...string[]])[] = [
    ["a line that was changed", changed(4), "4: seq 4 was changed: it does not have its hash"],
    ["the first", changed(1), "1: seq 1 was changed: it does not have its hash"],
    ["the last", changed(10), "10: seq 10 was changed: it does not have its hash"],
    [
      "a line that was changed, with a hash made for it",
      [...log.slice(0, 3), rehashed(4), ...log.slice(4)],
      "5: seq 5 does not follow the seq 4 that is here: one of the two was replaced",
    ],
    ["a line taken out", without(4), "4: seq 4 is missing before it"],
    ["several", without(2, 3, 7), "2: seq 2 to 3 are missing before it", "5: seq 7 is missing before it"],
    [
      "a line put in",
      [...log.slice(0, 4), rehashed(4), ...log.slice(4)],
      "5: seq 4 comes a second time, and is another line",
    ],
    [
      "a line of something else",
      [log[0]!, "hello", "", ...log.slice(1)],
      ...[2, 3].map((n) => `${n}: is no line of a chain: torn, put in, or not bpfink's`),
    ],
    [
      "a torn line",
      [...log.slice(0, 9), log[9]!.slice(0, 100)],
      "10: is no line of a chain: torn, put in, or not bpfink's",
    ],
    [
      "torn lines of which the whole ones are others",
      [
        ...log.slice(0, 5),
        log[5]!.slice(0, -3).replace('text":"', 'next":"'),
        `${log[2]!.slice(0, 99)}!`,
        ...log.slice(3),
      ],
      "6: seq 6 was changed: it does not have its hash",
      "7: is no line of a chain: torn, put in, or not bpfink's",
    ],
    [
      "lines of which one is whole and changed, and comes twice",
      [log[0]!, changed(2)[1]!, ...changed(2).slice(1)],
      "3: seq 2 was changed: it does not have its hash",
    ],
    [
      "more torn lines than anybody tears",
      [...Array.from({ length: 70 }, () => "x"), ...log],
      ...Array.from({ length: 70 }, (_, i) => `${i + 1}: is no line of a chain: torn, put in, or not bpfink's`).slice(
        69,
      ),
    ],
    [
      "two lines that changed places",
      [log[0]!, log[2]!, log[1]!, ...log.slice(3)],
      "3: seq 2 is out of order: it comes after seq 3",
    ],
    [
      "rotated files in the wrong order",
      [...log.slice(8), ...log.slice(0, 2)],
      "3: a new chain begins: the database was new, or the logs are in the wrong order; what the old one still told cannot be known",
    ],
    [
      "a hash that was changed",
      log.map((line, i) => (i === 3 ? line.replace(/"hash":"[^"]*"/, `"hash":"${hash}"`) : line)),
      "4: seq 4 was changed: it does not have its hash",
      "5: seq 5 does not follow the seq 4 that is here: one of the two was replaced",
    ],
    [
      "a first line that follows something",
      [rehashed(1).replace(GENESIS, hash)],
      "1: seq 1 does not follow the seq 0 that is here: one of the two was replaced",
      "1: seq 1 was changed: it does not have its hash",
    ],
    [
      "a new database",
      [...log.slice(0, 3), ...logOf(4, "new")],
      "4: a new chain begins: the database was new, or the logs are in the wrong order; what the old one still told cannot be known",
    ],
  ];
  test.each(broken)("%s", (_what, lines, ...told) => expect(found(lines)).toEqual(told));

  test("whatever one line is changed, taken out, or moved", () => {
    const long = logOf(40);
    fc.assert(
      fc.property(
        fc.nat(39),
        fc.nat(39),
        fc.constantFrom("change", "remove", "move"),
        fc.nat(1000),
        (at, to, how, where) => {
          const lines = [...long];
          const [line] = lines.splice(at, 1) as [string];
          if (how === "remove" && (at === 0 || at === 39)) return; // rotation, and a tail: the database tells
          if (how === "move" && at === to) return;
          const bytes = Buffer.from(line);
          bytes[where % bytes.length]! ^= 4;
          if (how === "change") lines.splice(at, 0, bytes.toString("latin1"));
          if (how === "move") lines.splice(to, 0, line);
          expect(found(lines)).not.toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the end, held against the database", () => {
  test("cut lines are missing, later ones need not be there yet", () => {
    expect(found(log, [], log)).toEqual([]);
    expect(found(log.slice(0, 8), [], log)).toEqual(["8: seq 9 to 10 are missing after it, at the end"]);
    expect(found([], [], log)).toEqual(["0: seq 1 to 10 are missing after it, at the end"]);
  });

  test("another chain is not this database's", () => {
    expect(found(logOf(10, "other"), [], log)).toEqual(["10: seq 10 is another in the database"]);
    expect(found(log, [], log.slice(0, 3))).toEqual(["10: seq 10 is not in the database, which ends at seq 3"]);
  });
});

describe("with a key", () => {
  const other = Buffer.from("o".repeat(32));

  test("lines have it; nothing can be said without it, and nothing good with another", () => {
    const keyed = logOf(3, "", () => KEY);
    expect(found(keyed, [KEY])).toEqual([]);
    expect(found(keyed, [other, KEY])).toEqual([]);
    expect(found(keyed, [other])).toHaveLength(4);
    expect(new Verifier([]).add(Buffer.from(keyed[0]!))).toBe(false);
  });

  test("lines from before are vouched for by the first that has it; those that come after the last are not", () => {
    expect(
      found(
        logOf(6, "", (seq) => (seq > 3 ? KEY : undefined)),
        [KEY],
      ),
    ).toEqual([]);
    const since = "from here on no line was made with the key: anybody can have written them";
    expect(
      found(
        logOf(6, "", (seq) => (seq < 5 ? KEY : undefined)),
        [KEY],
      ),
    ).toEqual([`5: ${since}`]);
    expect(found(logOf(6), [KEY])).toEqual([`1: ${since}`]);
  });

  test("it can be changed", () => {
    expect(
      found(
        logOf(6, "", (seq) => (seq > 3 ? KEY : other)),
        [KEY, other],
      ),
    ).toEqual([]);
  });
});
