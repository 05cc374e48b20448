import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { Store } from "../../../src/state/store.ts";
import { anyHash, fileLook, type Hash, leaks } from "./helpers.ts";

let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bpfink-secrets-"));
  store = Store.open(join(directory, "test.db"));
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

interface Content {
  readonly text: string;
  readonly secrets: readonly string[];
}

const user = fc.constantFrom("root", "bob", "Alice.B", "host$", "+nis", "é");
const lock = fc.constantFrom("", "!", "!!");
const entry = (tails: readonly string[]) =>
  fc
    .tuple(user, lock, anyHash, fc.constantFrom(...tails))
    .map(([name, locked, { field, secrets }, tail]): Hash => ({ field: `${name}:${locked}${field}${tail}`, secrets }));

const TAILS = {
  shadow: [":19000:0:99999:7:::", ":::::::", ":0:0:99999:7:30:20000:"],
  passwd: [":0:0:root:/root:/bin/bash", ":1000:1000::/:"],
  gshadow: ["::", ":bob:alice,eve"],
};

const content = (tails: readonly string[]): fc.Arbitrary<Content> =>
  fc
    .array(
      fc.oneof(
        entry(tails),
        fc.constantFrom("# x", "", "a: b").map((field): Hash => ({ field, secrets: [] })),
      ),
      {
        maxLength: 6,
      },
    )
    .map((lines) => ({
      text: lines.map(({ field }) => `${field}\n`).join(""),
      secrets: lines.flatMap(({ secrets }) => secrets),
    }));

/** Everything that leaves the consumer, and everything that the database's files hold. */
function everything(path: string, looks: readonly Look[]): string {
  const consumer = consumerFor(path, true);
  const states = looks.map((look) => consumer.parse(path, look, store));
  const lines = states.flatMap((before) =>
    states.map((after) => JSON.stringify(consumer.compare(path, before, after))),
  );
  for (const state of states) store.record({ path, state, line: (seq) => JSON.stringify({ time: "", seq, lines }) });
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
  return [JSON.stringify(states), ...lines, ...files].join("\n");
}

const names: Record<keyof typeof TAILS, readonly string[]> = {
  shadow: [
    "shadow",
    "shadow-",
    "shadow+",
    "shadow.lock",
    ".shadow.swp",
    "passwd",
    "gshadow",
    "notes.txt",
    "group",
    "authorized_keys",
    "access.conf",
  ],
  passwd: ["passwd", "passwd-", "shadow", "backup.yaml", "access.conf", "/etc/pam.d/passwd"],
  gshadow: ["gshadow", "gshadow-", "shadow", "group", "authorized_keys", "x.conf"],
};

describe("no run of five characters of a hash or salt is in any state, line or file", () => {
  for (const kind of ["shadow", "passwd", "gshadow"] as const) {
    for (const name of names[kind]) {
      test(`${kind} entries in ${name}`, () => {
        const missing: Look = { type: "missing" };
        fc.assert(
          fc.property(content(TAILS[kind]), content(TAILS[kind]), (before, after) => {
            const looks = [missing, fileLook(before.text), fileLook(after.text), fileLook("other\n")];
            expect(leaks(everything(name, looks), [...before.secrets, ...after.secrets])).toEqual([]);
          }),
          { numRuns: 20 },
        );
      });
    }
  }

  test("the search finds what is there", () => {
    const path = "/canary";
    store.baseline(path, { consumer: "generic", canary: "GHJKLMNOP" });
    expect(leaks(everything(path, [{ type: "missing" }]), ["GHJKLMNOP"])).not.toEqual([]);
  });
});
