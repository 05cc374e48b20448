// What the `users` of a line have of the other files' saved states, and what they must not have.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Difference, State } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { type Saved, withOtherFiles } from "../../../src/consumers/users/beside.ts";
import { usersConsumer } from "../../../src/consumers/users.ts";
import { fileLook, keys, print } from "./helpers.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDbnCYlLRd3QFWhZ3wkhtBzAwzDXyGRcAK51WrA9bX9 x\n";
const KEY_PRINT = "SHA256:YPdmC/7lGy7VgC0XkNQwBXBGzWQubWY2stSHfEW5m1A";
const KEY_FILE = "/home/ann/.ssh/authorized_keys";
const FILES: Readonly<Record<string, string>> = {
  "/etc/passwd": "ann:x:1000:27:Ann:/home/ann:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/false\n",
  "/etc/shadow": "ann:!$1$a$b:19000:0:99999:7::20000:\nann:*:::::::\n",
  "/etc/group": "sudo:x:27:\ndocker:x:998:bob,ann\n",
  "/etc/gshadow": "docker:!:ann:ann\nsudo:!::ann\n",
  [KEY_FILE]: KEY,
};

const consumerOf = (path: string) =>
  path === KEY_FILE ? usersConsumer("authorized_keys", ["ann"]) : consumerFor(path, true);
const stateOf = (path: string, text: string) =>
  JSON.parse(JSON.stringify(consumerOf(path).parse(path, fileLook(text), keys))) as State;

function savedOf(files: Readonly<Record<string, string>>): Saved {
  const states = new Map(Object.entries(files).map(([path, text]) => [path, stateOf(path, text)]));
  return { state: (path) => states.get(path), keyFiles: () => [KEY_FILE] };
}

/** The consumer's own difference, and the one with the other files in it. */
function differences(path: string, before: string, after: string, files = FILES): [Difference, Difference] | undefined {
  const state = stateOf(path, after);
  const own = consumerOf(path).compare(path, stateOf(path, before), state as never);
  return own && [own, withOtherFiles(path, own, state, savedOf(files))];
}

const users = (...args: Parameters<typeof differences>) => differences(...args)?.[1].details["users"];

const of = {
  passwd: { uid: 1000, gid: 27, home: "/home/ann", shell: "/bin/bash" },
  shadow: { passwd: "locked", lockedPasswd: `md5:${print("$1$a$b")}`, lastChange: "2022-01-08", expires: "2024-10-04" },
  group: { groups: ["docker"] },
  gshadow: { administers: ["docker"] },
  keys: { keys: [KEY_PRINT] },
};
const whole = { user: "ann", ...of.passwd, ...of.shadow, ...of.group, ...of.gshadow, ...of.keys };

describe("users have what the other files say", () => {
  test("on a line of passwd", () => {
    const now = FILES["/etc/passwd"]!.replace("/bin/bash", "/bin/sh");
    expect(users("/etc/passwd", FILES["/etc/passwd"]!, now)).toEqual([
      { ...whole, shell: "/bin/sh", gecos: "Ann" },
      { user: "bob", uid: 1001, gid: 1001, gecos: "", home: "/home/bob", shell: "/bin/false", groups: ["docker"] },
    ]);
  });

  test("on a line of shadow: a name that is there twice is told twice", () => {
    const both = users("/etc/shadow", "", "ann:!$1$a$b:19000:0:99999:7::20000:\nann:*:::::::\n") as object[];
    const { lockedPasswd: _, lastChange: __, expires: ___, ...second } = whole;
    expect(both).toEqual([
      { ...whole, minDays: 0, maxDays: 99999, warnDays: 7 },
      { ...second, passwd: "none" },
    ]);
  });

  test("on a line of group and of gshadow", () => {
    expect(users("/etc/group", "", "wheel:x:10:ann\n")).toEqual([{ ...whole, groups: ["wheel"] }]);
    expect(users("/etc/gshadow", "", "wheel:!:ann:\n")).toEqual([{ ...whole, groups: [], administers: ["wheel"] }]);
    expect(users("/etc/group", "", "wheel:x:10:bob\n", { "/etc/shadow": FILES["/etc/shadow"]! })).toEqual([
      { user: "bob", groups: ["wheel"] },
    ]);
  });

  test("on a line of keys, but for the keys", () => {
    const key = { fingerprint: KEY_PRINT, type: "ED25519", bits: 256, comment: "x" };
    const { keys: _, ...account } = whole;
    expect(users(KEY_FILE, "", KEY)).toEqual([{ ...account, ...key }]);
  });

  test("a password in passwd itself is the one that counts, with its own lock", () => {
    const files = { ...FILES, "/etc/passwd": "ann::1000:27::/home/ann:/bin/sh\n" };
    const { lockedPasswd: _, ...open } = { ...whole, passwd: "empty", shell: "/bin/sh" };
    expect(users("/etc/group", "", "docker:x:998:ann\n", files)).toEqual([open]);
  });
});

describe("users have nothing of", () => {
  test("files that are not watched, copies, and files in other directories", () => {
    const text = "ann:x:1000:27:Ann:/home/ann:/bin/bash\n";
    const alone = [{ user: "ann", ...of.passwd, gecos: "Ann" }];
    expect(users("/etc/passwd", "", text, {})).toEqual(alone);
    expect(users("/etc/passwd-", "", text)).toEqual(alone);
    expect(users("/srv/etc/passwd", "", text)).toEqual(alone);
  });

  test("lines for NIS", () => {
    const files = { "/etc/passwd": "+:x:0:0::/root:/bin/sh\n" };
    expect(users("/etc/shadow", "", "+::::::::\n", files)).toEqual([{ user: "+", passwd: "empty" }]);
  });

  test("a state of another consumer under that name", () => {
    const saved: Saved = {
      state: () => ({ consumer: "diff", kind: "passwd", entries: 7 }),
      keyFiles: () => [KEY_FILE],
    };
    const state = stateOf("/etc/shadow", "ann:*:::::::\n");
    const own = consumerFor("/etc/shadow", true).compare("/etc/shadow", stateOf("/etc/shadow", ""), state)!;
    expect(withOtherFiles("/etc/shadow", own, state, saved)).toEqual(own);
  });
});

describe("a powerful primary group", () => {
  const note = (before: string, after: string) => differences("/etc/passwd", before, after)?.[1].details["notes"];
  const bob = (gid: number, uid = 1001) => `bob:x:${uid}:${gid}::/:/bin/false\n`;
  const power = ['members of "sudo" can usually become root: "bob" now, too'];

  test("is noted of who comes to it, or comes with it", () => {
    expect(note(bob(1001), bob(27))).toEqual(power);
    expect(note("", bob(27))).toEqual(power);
  });

  test("is not noted of who had it, nor of root, nor is any other group", () => {
    expect(note(bob(27), bob(27, 1002))).toBeUndefined();
    expect(note(bob(1001), bob(27, 0))).toBeUndefined();
    expect(note(bob(27), bob(1001))).toBeUndefined();
  });
});

test("what came, what went and what is said of it stays the file's own, and so do its fields", () => {
  const field = fc.constantFrom("ann", "bob", "+", "", "x", "0", "27", "$6$ab$cd", "!", "ann,bob", "sudo", ":");
  const text = fc
    .array(fc.array(field, { maxLength: 9 }).map((fields) => fields.join(":")))
    .map((all) => all.join("\n"));
  const path = fc.constantFrom(...Object.keys(FILES));
  fc.assert(
    fc.property(path, text, text, fc.dictionary(path, text), (file, before, after, files) => {
      const [own, whole] = differences(file, before, after, files) ?? [];
      const { users: ownUsers = [], notes: ownNotes = [], ...ownRest } = own?.details ?? {};
      const { users = [], notes = [], ...rest } = whole?.details ?? {};
      expect(rest).toEqual(ownRest);
      expect((notes as unknown[]).slice(0, (ownNotes as unknown[]).length)).toEqual(ownNotes as unknown[]);
      (ownUsers as object[]).forEach((entry, i) => expect((users as object[])[i]).toMatchObject(entry));
      expect((users as object[]).length).toBe((ownUsers as object[]).length);
    }),
  );
});
