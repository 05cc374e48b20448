import { describe, expect, test } from "bun:test";
import type { Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { usersConsumer } from "../../../src/consumers/users.ts";
import { fileLook, keys, meta, print } from "./helpers.ts";

const LINE = { root: "root:$6$ab$cd:19000:0:99999:7:::\n", bob: "bob:!$1$a$b:::::::\n" };
const root = {
  user: "root",
  passwd: `sha512:${print("$6$ab$cd")}`,
  lastChange: "2022-01-08",
  minDays: 0,
  maxDays: 99999,
  warnDays: 7,
};
const bob = { user: "bob", passwd: "locked", lockedPasswd: `md5:${print("$1$a$b")}` };
const missing: Look = { type: "missing" };

function compare(before: Look, after: Look, path = "/etc/shadow") {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after].map((look) => JSON.parse(JSON.stringify(consumer.parse(path, look, keys))));
  return consumer.compare(path, from, to);
}

const difference = (action: string, details: Record<string, unknown>) =>
  ({ action, consumer: "users", message: "user entries", details }) as never;

describe("users", () => {
  test("nothing changed, but the inode", () => {
    expect(compare(fileLook(LINE.root), fileLook(LINE.root, { inode: "7" }))).toBeUndefined();
    expect(compare(missing, missing)).toBeUndefined();
  });

  test("created and deleted: every entry came, went", () => {
    const look = fileLook(LINE.root + LINE.bob);
    expect(compare(missing, look)).toEqual(
      difference("created", {
        changes: ["root added (password set)", "bob added (password locked)"],
        add: [root, bob],
        del: [],
        users: [root, bob],
      }),
    );
    expect(compare(look, missing)).toEqual(
      difference("deleted", { changes: ["root removed", "bob removed"], add: [], del: [root, bob], users: [] }),
    );
  });

  test("a new password is the old entry and the new", () => {
    const now = { ...root, passwd: `yescrypt:${print("$y$j9T$x$y")}` };
    expect(
      compare(fileLook(LINE.root + LINE.bob), fileLook(LINE.root.replace("$6$ab$cd", "$y$j9T$x$y") + LINE.bob)),
    ).toEqual(
      difference("modified", { changes: ["root's password changed"], add: [now], del: [root], users: [now, bob] }),
    );
  });

  test("unlocking shows the fingerprint that was behind the lock", () => {
    const open = { user: "bob", passwd: bob.lockedPasswd };
    expect(compare(fileLook(LINE.bob), fileLook(LINE.bob.replace("!", "")))).toEqual(
      difference("modified", { changes: ["bob's password unlocked"], add: [open], del: [bob], users: [open] }),
    );
  });

  test("the same entries in other bytes", () => {
    const before = fileLook(LINE.root + LINE.bob);
    const notes = [LINE.bob + LINE.root, `# x\n${LINE.root}${LINE.bob}`, `${LINE.root}${LINE.bob}garbage\n`].map(
      (text) => compare(before, fileLook(text))?.details,
    );
    const same = { add: [], del: [], users: [root, bob] };
    const problems = [{ line: 3, reason: "9 fields expected, not 1" }];
    expect(notes).toEqual([
      { ...same, users: [bob, root], notes: ["order changed"] },
      { ...same, notes: ["only comments, blank lines or unreadable lines changed"] },
      { ...same, notes: ["line 3: 9 fields expected, not 1"], problems },
    ]);
  });

  test("attributes alone, and with a change", () => {
    const attributes = { mode: { from: "0640", to: "0644" }, gid: { from: 42, to: 0 } };
    const open = { mode: 0o644, gid: 0 };
    expect(compare(fileLook(LINE.bob), fileLook(LINE.bob, open))).toEqual(difference("attributes", { attributes }));
    expect(compare(fileLook(LINE.bob), fileLook(LINE.root, open))).toEqual(
      difference("modified", {
        changes: ["root added (password set)", "bob removed"],
        add: [root],
        del: [bob],
        users: [root],
        attributes,
      }),
    );
  });

  test("replaced by a directory", () => {
    const { inode: _, ...rest } = meta;
    const directory: Look = { type: "directory", ...rest, inode: "1", size: 4096 };
    expect(compare(fileLook(LINE.bob), directory)).toEqual(
      difference("modified", {
        changes: ["bob removed"],
        add: [],
        del: [bob],
        users: [],
        type: { from: "file", to: "directory" },
      }),
    );
  });

  test("what an administrator should know of the accounts", () => {
    const entry = (user: string, uid: number, more = {}) => ({
      user,
      ...more,
      uid,
      gid: 1,
      gecos: "",
      home: "/",
      shell: "/sh",
    });
    const text = "root:x:0:1::/:/sh\ntoor::0:1::/:/sh\nbob:x:7:1::/:/sh\n";
    const [a, b, c] = [entry("root", 0), entry("toor", 0, { passwd: "empty" }), entry("bob", 7)];
    expect(compare(fileLook(text), fileLook(`${text}bob:x:7:1::/:/sh\n`), "/etc/passwd")).toEqual(
      difference("modified", {
        changes: ["bob added (uid 7, /sh)"],
        add: [c],
        del: [],
        users: [a, b, c, c],
        notes: [
          'user "bob" is there more than once',
          'uid 0 is shared by "root", "toor"',
          'user "toor" has an empty password',
        ],
      }),
    );
  });

  test("a binary in its place: a change, and few of its problems", () => {
    const bytes = new Uint8Array(100_000).fill(10).map((byte, i) => (i % 2 ? 0xff : byte));
    const found = compare(fileLook(LINE.bob), fileLook(bytes));
    expect(found?.details).toEqual({
      changes: ["bob removed"],
      add: [],
      del: [bob],
      users: [],
      problems: Array.from({ length: 10 }, (_, i) => i + 2)
        .flatMap((line) => [{ line, reason: "9 fields expected, not 1" }])
        .concat(Array.from({ length: 10 }, (_, i) => ({ line: i + 12, reason: "9 fields expected, not 1" }))),
      moreProblems: 49_980,
    });
  });

  test("too long to be read: said, and no entry is taken for lost", () => {
    const long = fileLook("x", { content: undefined });
    expect(compare(fileLook(LINE.bob), long)).toEqual(
      difference("modified", { add: [], del: [], users: [], notes: ["too long to be read: entries are not compared"] }),
    );
  });

  test("a state that another consumer left", () => {
    const consumer = consumerFor("/etc/shadow", true);
    const after = consumer.parse("/etc/shadow", fileLook(LINE.bob), keys);
    expect(consumer.compare("/etc/shadow", { consumer: "generic", type: "file" }, after)).toEqual(
      difference("modified", {
        users: [bob],
        notes: ["the saved state is another consumer's: entries are not compared"],
      }),
    );
  });
});

test("a user's own file keeps us busy no longer than its owner may", () => {
  const limits = ["passwd", "shadow", "authorized_keys"] as const;
  expect(limits.map((name) => usersConsumer(name).contentLimit)).toEqual([64 << 20, 64 << 20, 1 << 20]);
});
