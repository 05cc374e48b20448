import { describe, expect, test } from "bun:test";
import type { Difference, Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { fileLook, keys, meta, print, sha256 } from "./helpers.ts";

const missing: Look = { type: "missing" };
const directory: Look = { type: "directory", ...meta, size: 4096 };
/** What is told of `meta` where it comes or goes. */
const OWNED = { mode: "0640", uid: 0, gid: 42 };
const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n";

function compare(before: Look, after: Look, path = "/etc/x"): Difference | undefined {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after].map((look) => JSON.parse(JSON.stringify(consumer.parse(path, look, keys))));
  return consumer.compare(path, from, to);
}

const generic = (action: Difference["action"], members: Record<string, unknown>): Difference => ({
  action,
  consumer: "generic",
  message: `generic file ${action}`,
  details: { generic: { ...members, inode: meta.inode } },
});

describe("text", () => {
  test("created, modified, deleted", () => {
    const differences = [
      compare(missing, fileLook("a\n")),
      compare(fileLook("a\n"), fileLook("b\n", { mode: 0o4755 })),
      compare(fileLook("a\n"), missing),
    ];
    expect(differences).toEqual([
      {
        action: "created",
        consumer: "diff",
        message: "text file created",
        details: {
          add: { Content: ["a"] },
          del: { Content: [] },
          diff: "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1,1 @@\n+a\n",
        },
      },
      {
        action: "modified",
        consumer: "diff",
        message: "text file modified",
        details: {
          add: { Content: ["b"] },
          del: { Content: ["a"] },
          diff: "--- /etc/x\n+++ /etc/x\n@@ -1,1 +1,1 @@\n-a\n+b\n",
          attributes: { mode: { from: "0640", to: "4755" } },
        },
      },
      {
        action: "deleted",
        consumer: "diff",
        message: "text file deleted",
        details: {
          add: { Content: [] },
          del: { Content: ["a"] },
          diff: "--- /etc/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n",
        },
      },
    ]);
  });

  test("saved again with the same content: nothing; with other attributes: those", () => {
    expect(compare(fileLook("a\n"), fileLook("a\n", { inode: "2" }))).toBeUndefined();
    expect(compare(fileLook("a\n"), fileLook("a\n", { uid: 7 }))).toEqual({
      action: "attributes",
      consumer: "diff",
      message: "text file attributes",
      details: { attributes: { uid: { from: 0, to: 7 } } },
    });
  });

  test("a changed secret shows as changed, with a digest that cannot be tried against guesses", () => {
    const [before, after] = ["password=one\n", "password=two\n"].map((text) => fileLook(text));
    const details = compare(before ?? missing, after ?? missing)?.details;
    expect(details).toEqual({
      add: { Content: [`password=[redacted ${print("two")}]`] },
      del: { Content: [`password=[redacted ${print("one")}]`] },
      diff: expect.any(String),
    });
    const state = consumerFor("/etc/x", true).parse("/etc/x", before ?? missing, keys);
    expect(state["digest"]).toBe(keys.keyedDigest(sha256("password=one\n")));
  });

  test("cut, with digests, sizes and counts of both", () => {
    const [before, after] = ["a\n", "b\n"].map((line) => line.repeat(40_000)) as [string, string];
    const details = compare(fileLook(before), fileLook(after))?.details;
    expect(details).toMatchObject({
      truncated: true,
      current: { digest: sha256(before), size: 80_000, lines: 40_000 },
      next: { digest: sha256(after), size: 80_000, lines: 40_000 },
    });
  });

  test("an empty file", () => {
    expect(compare(missing, fileLook(""))?.details).toEqual({
      add: { Content: [] },
      del: { Content: [] },
      diff: "--- /dev/null\n+++ /etc/x\n",
      notes: ["empty file"],
    });
  });
});

describe("what is not text", () => {
  test("binary: digests, upstream's way", () => {
    const [a, b] = [fileLook("a\0"), fileLook("bb\0")];
    const common = { type: "file", content: "binary" };
    expect([compare(missing, a), compare(a, b), compare(b, missing)]).toEqual([
      generic("created", { current: "", next: sha256("a\0"), size: 2, ...common, ...OWNED }),
      generic("modified", { current: sha256("a\0"), next: sha256("bb\0"), size: { from: 2, to: 3 }, ...common }),
      generic("deleted", { current: sha256("bb\0"), next: "", size: 3, ...common, ...OWNED }),
    ]);
  });

  test("what came has all that is known of it, secrets but as fingerprints", () => {
    const xattrs = new Map([
      ["security.capability", new Uint8Array(Buffer.from("0100000200200000000000000000000000000000", "hex"))],
      ["user.note", new TextEncoder().encode("hello")],
    ]);
    const details = compare(missing, fileLook("a\0", { mode: 0o4755, uid: 7, flags: ["immutable"], xattrs }))?.details;
    expect(details?.["generic"]).toMatchObject({
      ...{ mode: "4755", uid: 7, gid: 42, flags: "immutable", capabilities: "cap_net_raw=ep" },
      xattrs: { "user.note": keys.fingerprint("hello") },
    });
  });

  test("what went before it was read to its end has no digest, keyed or not", () => {
    const unread = fileLook("", { content: undefined, digest: "", size: 2 ** 31 });
    for (const path of ["/etc/x", "/etc/gshadow.lock"]) {
      const gone = { size: 2 ** 31, type: "file", ...OWNED };
      expect([compare(missing, unread, path), compare(unread, missing, path)]).toEqual([
        generic("created", { current: "", next: "", ...gone }),
        generic("deleted", { current: "", next: "", ...gone }),
      ]);
    }
  });

  test("shadow in UTF-16 is no plain binary: its digest would help to guess", () => {
    const text = Buffer.from("\ufeffroot:$6$ab$cd:19000:0:99999:7:::\n", "utf16le");
    for (const bytes of [text, Buffer.from(text).swap16()]) {
      const { content, next } = compare(missing, fileLook(new Uint8Array(bytes)))?.details["generic"] as Record<
        string,
        string
      >;
      expect([content, next?.slice(0, 6)]).toEqual(["passwords", "keyed:"]);
    }
  });

  test("lines without number cost neither seconds nor memory: they are hashed", () => {
    const lines = (text: string) => compare(fileLook("a\n"), fileLook(text))?.consumer;
    expect([lines("\n".repeat(300_000)), lines("\n".repeat(300_001))]).toEqual(["diff", "generic"]);
    const begin = performance.now();
    expect(compare(fileLook("\n".repeat(4 << 20)), fileLook("x\n".repeat(2 << 20)))?.details["generic"]).toMatchObject({
      content: "too long",
    });
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  test("too long, and text that became binary, a key, or passwords", () => {
    const before = fileLook("a\n");
    const after = (next: string, size: number, to: string) =>
      generic("modified", {
        current: sha256("a\n"),
        next,
        size: { from: 2, to: size },
        type: "file",
        content: { from: "text", to },
      });
    const long = fileLook("long", { content: undefined, size: 1 << 21 });
    const hash = "root:$6$ab$cd:1:::::::\n";
    expect([long, fileLook("a\0b"), fileLook(KEY), fileLook(hash)].map((look) => compare(before, look))).toEqual([
      after(sha256("long"), 1 << 21, "too long"),
      after(sha256("a\0b"), 3, "binary"),
      after(keys.keyedDigest(sha256(KEY)), KEY.length, "private key"),
      after(keys.keyedDigest(sha256(hash)), hash.length, "passwords"),
    ]);
  });

  test("a lock of gshadow by its name, whatever it holds", () => {
    expect(compare(missing, fileLook("a\n"), "/etc/gshadow.lock")).toEqual(
      generic("created", {
        current: "",
        next: keys.keyedDigest(sha256("a\n")),
        size: 2,
        type: "file",
        content: "passwords",
        ...OWNED,
      }),
    );
  });

  test("directories", () => {
    expect(compare(missing, directory)).toEqual(
      generic("created", { current: "", next: "", type: "directory", ...OWNED }),
    );
    expect(compare(fileLook("a\n"), directory)).toEqual(
      generic("modified", {
        current: sha256("a\n"),
        next: "",
        size: 2,
        type: { from: "file", to: "directory" },
        content: "text",
      }),
    );
    expect(compare(directory, { ...directory, inode: "3", size: 8192 })).toBeUndefined();
    expect(compare(directory, { ...directory, mode: 0o700 })?.action).toBe("attributes");
  });
});
