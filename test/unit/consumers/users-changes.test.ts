// What is said of a change in words, and what it is made of.
import { expect, test } from "bun:test";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { fileLook, keys } from "./helpers.ts";

function compare(path: string, before: string, after: string) {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after].map((text) =>
    JSON.parse(JSON.stringify(consumer.parse(path, fileLook(text), keys))),
  );
  return consumer.compare(path, from, to)?.details;
}

const H = "$6$ab$cd";
const shadow = (password: string, rest = "19000:0:99999:7:::") => `ann:${password}:${rest}\n`;

const inWords: readonly (readonly [path: string, before: string, after: string, ...words: string[]])[] = [
  ["/etc/shadow", shadow(H), shadow("$y$j9T$x$y"), "ann's password changed"],
  ["/etc/shadow", shadow("!"), shadow(H), "ann's password set"],
  ["/etc/shadow", shadow(H), shadow(`!${H}`), "ann's password locked"],
  ["/etc/shadow", shadow(`!${H}`), shadow(H), "ann's password unlocked"],
  ["/etc/shadow", shadow(H), shadow("!$1$a$b"), "ann's password changed and locked"],
  ["/etc/shadow", shadow(`!${H}`), shadow("!$1$a$b"), "ann's password changed behind the lock"],
  ["/etc/shadow", shadow(H), shadow(""), "ann's password removed: none is asked for"],
  ["/etc/shadow", shadow(H), shadow("*"), "ann's password removed: none is accepted"],
  ["/etc/shadow", shadow(H), shadow(H, "0:0:99999:7:::"), "ann must change the password at the next login"],
  [
    "/etc/shadow",
    shadow(H),
    shadow(H, "19001:1:90::14:20000:"),
    "date of ann's last password change changed from 2022-01-08 to 2022-01-09",
    "ann's account expires on 2024-10-04",
    "ann's minimum password age in days changed from 0 to 1",
    "ann's maximum password age in days changed from 99999 to 90",
    "ann's days of warning before the password expires 7 removed",
    "ann's days of grace after the password expired set to 14",
  ],
  ["/etc/shadow", shadow(H, "19000:::::20000:"), shadow(H, "19000::::::"), "ann's account does not expire any more"],
  [
    "/etc/passwd",
    "",
    "bob:x:1:1::/:/bin/sh\nweb::2:2::/:\n",
    "bob added (uid 1, /bin/sh)",
    "web added (uid 2, no password is asked for)",
  ],
  [
    "/etc/passwd",
    `ann:${H}:1:1:Ann:/home/ann:/bin/sh\n`,
    "ann:x:2:3::/srv:/bin/bash\n",
    "ann's uid changed from 1 to 2",
    "ann's gid changed from 1 to 3",
    "ann's full name Ann removed",
    "ann's home changed from /home/ann to /srv",
    "ann's shell changed from /bin/sh to /bin/bash",
    "ann's password moved to another file",
  ],
  ["/etc/passwd", "a:x:1:1::/:/b\nb:x:2:2::/:/b\n", "b:x:2:2::/:/b\n", "a removed"],
  ["/etc/group", "sudo:x:27:\n", "sudo:x:27:ann,bob\n", "ann joined sudo", "bob joined sudo"],
  ["/etc/group", "sudo:x:27:ann,bob\n", "sudo:x:27:bob\n", "ann left sudo"],
  ["/etc/group", "a:x:1:ann\nb:x:2:\n", "a:x:1:\nb:x:2:ann\n", "ann joined b", "ann left a"],
  [
    "/etc/group",
    "a:x:1:\n",
    "a:x:2:\nb:x:3:ann\n",
    "group a's gid changed from 1 to 2",
    "group b added (gid 3)",
    "ann joined b",
  ],
  ["/etc/group", "a:x:1:ann\n", "", "group a removed", "ann left a"],
  [
    "/etc/gshadow",
    "a:!::\n",
    `a:${H}:ann:ann\n`,
    "group a's password set",
    "ann joined a",
    "ann became an administrator of a",
  ],
  [
    "/etc/gshadow",
    `a:${H}:ann:\n`,
    "a:::bob\n",
    "group a's password removed",
    "bob joined a",
    "ann is no administrator of a any more",
  ],
];

test.each(inWords)("%s: %j to %j", (path, before, after, ...words) => {
  expect(compare(path, before, after)?.["changes"]).toEqual(words);
});

test("joining a group is a change of the user", () => {
  const sudo = { group: "sudo", gid: 27, members: ["ann", "eve"] };
  const staff = { group: "staff", gid: 50, members: ["ann"] };
  expect(compare("/etc/group", "sudo:x:27:ann\nstaff:x:50:ann\n", "sudo:x:27:ann,eve\nstaff:x:50:ann\n")).toEqual({
    changes: ["eve joined sudo"],
    add: [{ user: "eve", groups: ["sudo"] }],
    del: [],
    users: [
      { user: "ann", groups: ["sudo", "staff"] },
      { user: "eve", groups: ["sudo"] },
    ],
    groups: [sudo, staff],
    notes: ['members of "sudo" can usually become root: "eve" now, too'],
  });
  expect(compare("/etc/group", "a:x:1:ann\nb:x:2:\n", "a:x:1:ann\nb:x:2:ann\n")).toMatchObject({
    add: [{ user: "ann", groups: ["a", "b"] }],
    del: [{ user: "ann", groups: ["a"] }],
  });
});

test("a group's own line", () => {
  expect(compare("/etc/group", "a:x:1:ann\n", "a:x:0:ann\nroot:x:0:\nroot:x:0:\n")).toMatchObject({
    add: [
      { group: "a", gid: 0 },
      { group: "root", gid: 0 },
      { group: "root", gid: 0 },
    ],
    del: [{ group: "a", gid: 1 }],
    notes: ['group "root" is there more than once', 'gid 0 is shared by "a", "root"'],
  });
  expect(compare("/etc/group", "a:x:1:ann,bob\n", "a:x:1:bob,ann\n")).toMatchObject({
    add: [],
    del: [],
    notes: ["order changed"],
  });
});

test("who could not log in and can now", () => {
  const line = (shell: string) => `www:x:33:33::/var/www:${shell}\n`;
  const notes = (before: string, after: string) => compare("/etc/passwd", line(before), line(after))?.["notes"];
  expect(notes("/usr/sbin/nologin", "/bin/sh")).toEqual(['user "www" has a login shell now']);
  expect(notes("/bin/false", "")).toEqual(['user "www" has a login shell now']);
  expect(notes("/bin/sh", "/bin/bash")).toBeUndefined();
  expect(notes("/bin/false", "/usr/sbin/nologin")).toBeUndefined();
});

test("a line in words stays readable when everything changed", () => {
  const text = Array.from({ length: 60 }, (_, i) => `u${i}:x:${i + 1}:1::/:/b\n`).join("");
  const changes = compare("/etc/passwd", "", text)?.["changes"] as string[];
  expect(changes).toHaveLength(51);
  expect(changes.at(-1)).toBe("10 more");
});

test("a name that is there very often takes no time", () => {
  const begin = performance.now();
  expect(compare("/etc/passwd", "a:x:1:1::/:/b\n".repeat(30_000), "")?.["del"]).toHaveLength(30_000);
  expect(performance.now() - begin).toBeLessThan(10_000); // 25 s, where each was copied for each that followed
}, 60_000);

test("who comes to a powerful group is noted once; root has nothing to win", () => {
  const after = "sudo:!:ann,root:ann,root\n";
  expect(compare("/etc/gshadow", "sudo:!::\n", after)?.["notes"]).toEqual([
    'members of "sudo" can usually become root: "ann" now, too',
  ]);
});
