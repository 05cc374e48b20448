import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { annotate } from "../../../src/consumers/annotate.ts";
import type { Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { type HistoryLine, historyDiff, historyRow } from "../../../src/commands/history-table.ts";
import { withOtherFiles } from "../../../src/consumers/users/beside.ts";
import { PRINTED } from "../../../src/sinks/formats.ts";
import { changeLine } from "../../../src/sinks/line.ts";
import { prettier } from "../../../src/sinks/pretty.ts";
import { plain } from "../../../src/terminal.ts";
import { Store } from "../../../src/state/store.ts";
import { anyHash, fileLook, type Hash, hashes, leaks } from "./helpers.ts";

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
const entry = (tails: readonly string[], hash = anyHash) =>
  fc
    .tuple(user, lock, hash, fc.constantFrom(...tails))
    .map(([name, locked, { field, secrets }, tail]): Hash => ({ field: `${name}:${locked}${field}${tail}`, secrets }));

const TAILS = {
  shadow: [":19000:0:99999:7:::", ":::::::", ":0:0:99999:7:30:20000:"],
  passwd: [":0:0:root:/root:/bin/bash", ":1000:1000::/:"],
  gshadow: ["::", ":bob:alice,eve"],
};

const content = (tails: readonly string[], hash = anyHash): fc.Arbitrary<Content> =>
  fc
    .array(
      fc.oneof(
        entry(tails, hash),
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

/** What an editor, a full disk or a torn write make of a file. */
const damage = fc
  .tuple(fc.constantFrom("none", "newline", "colon", "delete", "truncate", "NUL", "CRLF", "joined"), fc.nat())
  .map(([kind, where]) => (text: string): string => {
    const at = text.length === 0 ? 0 : where % text.length;
    const [head, tail] = [text.slice(0, at), text.slice(at)];
    switch (kind) {
      case "newline":
        return `${head}\n${tail}`;
      case "colon":
        return `${head}:${tail}`;
      case "delete":
        return head + tail.slice(1);
      case "truncate":
        return head;
      case "NUL":
        return `${head}\0${tail}`;
      case "CRLF":
        return text.replaceAll("\n", "\r\n");
      case "joined":
        return head + tail.replace("\n", "");
      default:
        return text;
    }
  });

const damaged = (tails: readonly string[], hash: fc.Arbitrary<Hash>): fc.Arbitrary<Content> =>
  fc.tuple(content(tails, hash), damage).map(([{ text, secrets }, change]) => ({ text: change(text), secrets }));

/** Every way in which a line is printed. */
const printers = [...Object.values(PRINTED), prettier(plain), historyOf];

function historyOf(line: string): string {
  const parsed = JSON.parse(line) as HistoryLine;
  return historyRow(parsed, (_, text) => text) + historyDiff(parsed, (_, text) => text);
}

/** Everything that leaves the consumer, as it is printed, and goes into the database. */
function everything(path: string, isNamed: boolean, looks: readonly Look[]): string {
  const consumer = consumerFor(path, isNamed);
  const states = looks.map((look) => consumer.parse(path, look, store));
  // the other databases, whose users a line tells of, too: with the same hashes in them
  const state = (other: string) => consumerFor(other, true).parse(other, looks[2]!, store);
  const saved = { state, keyFiles: () => ["/root/.ssh/authorized_keys"] };
  const changes = states.flatMap((before) =>
    states.flatMap((after) => {
      const found = consumer.compare(path, before, after);
      return found === undefined
        ? []
        : [{ after, difference: annotate(path, withOtherFiles(path, found, after, saved), after) }];
    }),
  );
  const parts = {
    backend: "none",
    origin: "live",
    file: path,
    sightings: [],
    names: { userName: String, ...store },
  } as const;
  const lines = store.record(
    ...changes.map(({ after, difference }) => ({
      ...{ path, state: after },
      line: (seq: number) => changeLine({ ...parts, seq, difference }),
    })),
  );
  return [JSON.stringify(states), ...lines.flatMap(({ line }) => printers.map((print) => print(line)))].join("\n");
}

/** What the database's files hold, -wal and all. */
const databaseFiles = () => readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));

const USER_DATABASES = [
  ...["shadow", "shadow-", "shadow+", "shadow.lock", ".shadow.swp", "gshadow", "gshadow-", "opasswd"],
  ...["passwd", "passwd-", "group", "group-", "/root/.ssh/authorized_keys", "access.conf"],
];
const OTHERS = ["/etc/sudoers", "/etc/pam.d/passwd", "notes.txt", "backup.yaml"];

/** DES and BSDI have no mark: half of one is a word like any other, unless shadow's fields or name are beside it. */
const { des: _, bsdi: __, ...marked } = hashes;
const markedHash = fc.oneof(...Object.values(marked));

/** Files of each kind under each name, half of them with something wrong in them. */
const RUNS = 35;
/** The same 3,780 files each time; another seed makes others. */
const SEED = Number(process.env["BPFINK_TEST_SEED"] ?? 1);

/** As crypt(3) made them, for those without a mark are known by their shape. */
const REAL: readonly Hash[] = [
  { field: "ab0ozUNIgzCZ.", secrets: ["ab0ozUNIgzCZ."] },
  { field: "_J9..rasmZ9PwMUN0zKg", secrets: ["J9..rasmZ9PwMUN0zKg"] },
  { field: "abFjERrjIDnVECdD5HbPC0n6iPAE/YDxu9I", secrets: ["abFjERrjIDnVECdD5HbPC0n6iPAE/YDxu9I"] },
  { field: "$3$$a9f0dd57e1edab5bb55a9ac0a99c15ec", secrets: ["a9f0dd57e1edab5bb55a9ac0a99c15ec"] },
  {
    field: "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$swDwqc9roxMj9t43.TdN6v6uEgFlLv6oDhMVx4g6bhA",
    secrets: ["F5Jx5fExrKuPp53xLKQ..1", "swDwqc9roxMj9t43.TdN6v6uEgFlLv6oDhMVx4g6bhA"],
  },
  {
    field: "$zz$F5Jx5fExrKuPp53x$swDwqc9roxMj9t43.TdN6v6uEgFlLv6oDhMVx4g6bhA",
    secrets: ["F5Jx5fExrKuPp53x", "swDwqc9roxMj9t43.TdN6v6uEgFlLv6oDhMVx4g6bhA"],
  },
];

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFxDXeq5Vpmw2zb9iQ2d2RuFPk1Ep7Uk6BZyVyVnjhLL";
/** Where a hash has no business to be. */
const MISPLACED: Record<string, (hash: string) => string | Uint8Array> = {
  "user name, no password": (hash) => `${hash}::19000:0:99999:7:::\n`,
  "user name, locked": (hash) => `${hash}:!:19000:0:99999:7:::\n`,
  "user name in passwd": (hash) => `${hash}:x:0:0::/:/bin/sh\n`,
  gecos: (hash) => `bob:x:0:0:Bob,${hash},:/:/bin/sh\n`,
  home: (hash) => `bob:x:0:0::${hash}:/bin/sh\n`,
  shell: (hash) => `bob:x:0:0::/:${hash}\n`,
  uid: (hash) => `bob:x:${hash}:0::/:/bin/sh\n`,
  flag: (hash) => `bob:!:19000:0:99999:7:::${hash}\n`,
  "group's name": (hash) => `${hash}:!::bob\n`,
  "group's administrators": (hash) => `adm:!:bob,${hash}:eve\n`,
  "group's members": (hash) => `adm:x:4:bob,${hash}\n`,
  NIS: (hash) => `+${hash}::::::\n+@${hash}::::::\n`,
  "a line in two": (hash) => `bob:${hash.slice(0, -14)}\n${hash.slice(-14)}:19000:0:99999:7:::\n`,
  "a value in two lines": (hash) =>
    /^\$[^z]/.test(hash)
      ? `  PASS="${hash.slice(0, 14)}\n${hash.slice(14)}"\n${hash.slice(0, -9)}\n${hash.slice(-9)}\n`
      : "",
  CRLF: (hash) => `bob:${hash}:19000:0:99999:7:::\r\neve:!${hash}:19000:0:99999:7:::\r\n`,
  "UTF-16": (hash) => new Uint8Array(Buffer.from(`\ufeffbob:${hash}:19000:0:99999:7:::\n`, "utf16le")),
  "a long line": (hash) => `bob:${hash}:19000:0:99999:7:::${"x".repeat(1 << 17)}\n`,
  "a rule of access.conf": (hash) => `+ : ${hash} : ALL\n- : ALL EXCEPT ${hash} : ALL EXCEPT ${hash}\n`,
  "a key's comment": (hash) => `${KEY} bob:${hash}\n`,
  "a key's command": (hash) => `command="usermod -p ${hash} bob" ${KEY} bob\n`,
  "a command": (hash) => `usermod -p ${hash} bob\necho 'bob:${hash}' | chpasswd -e\n`,
  "a command, escaped": (hash) => `usermod -p ${hash.replaceAll("$", "\\$")} bob\n`,
  "a URL": (hash) => `X=${hash.replaceAll("$", "%24")}\n`,
  Compose: (hash) => `X: ${hash.replaceAll("$", "$$$$")}\n`,
  SQL: (hash) => `INSERT INTO users VALUES ('root','${hash}');\n`,
  "a comment of sudoers": (hash) => `# bob: ${hash}.\nbob ALL=(ALL) ALL\n`,
};

describe("a hash in a place where it does not belong is in no state, line or file either", () => {
  const names = ["shadow", "passwd", "group", "gshadow", "/root/.ssh/authorized_keys", "access.conf", "sudoers"];
  const missing: Look = { type: "missing" };
  for (const [where, write] of Object.entries(MISPLACED)) {
    test(where, () => {
      const found = REAL.flatMap(({ field, secrets }) =>
        names.flatMap((name) => {
          const text = everything(name, true, [missing, fileLook(write(field)), fileLook("other\n")]);
          const runs = secrets.flatMap((secret) => {
            const length = /^[0-9a-f]+$/.test(secret) ? 10 : 5; // digests are hexadecimal, too
            return Array.from(secret.slice(length - 1), (_, i) => secret.slice(i, i + length));
          });
          return runs.filter((run) => text.includes(run)).map((run) => `${run} of ${field} in ${name}`);
        }),
      );
      expect(found).toEqual([]);
    });
  }
});

describe("no run of five characters of a hash or salt is in any state, line or file", () => {
  for (const kind of ["shadow", "passwd", "gshadow"] as const) {
    for (const name of [...USER_DATABASES, ...OTHERS]) {
      test(`${kind} entries in ${name}`, () => {
        const missing: Look = { type: "missing" };
        const all: string[] = [];
        const hash = OTHERS.includes(name) ? markedHash : anyHash;
        fc.assert(
          fc.property(content(TAILS[kind]), damaged(TAILS[kind], hash), fc.boolean(), (before, after, isNamed) => {
            const looks = [missing, fileLook(before.text), fileLook(after.text), fileLook("other\n")];
            const secrets = [...before.secrets, ...after.secrets];
            all.push(...secrets);
            expect(leaks(everything(name, isNamed, looks), secrets)).toEqual([]);
          }),
          { numRuns: RUNS, seed: SEED },
        );
        expect(leaks(databaseFiles().join("\n"), all)).toEqual([]);
      });
    }
  }

  test("the search finds what is there", () => {
    store.baseline("/canary", { consumer: "generic", canary: "GHJKLMNOP" });
    expect(leaks(databaseFiles().join("\n"), ["GHJKLMNOP"])).not.toEqual([]);
  });
});
