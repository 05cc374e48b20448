import { expect, test } from "bun:test";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { fileLook, keys } from "./helpers.ts";

function kindOf(path: string): unknown {
  const state = consumerFor(path, true).parse(path, fileLook("a\n"), keys);
  return state["kind"] ?? state["content"] ?? state.consumer;
}

const expected: Record<string, readonly string[]> = {
  passwd: [
    "/etc/passwd",
    "/root/etc/passwd",
    "passwd-",
    "passwd+",
    "passwd~",
    "passwd.edit",
    "passwd.org",
    "passwd.dpkg-old",
  ],
  group: ["/etc/group", "group-", "group+", "/var/backups/group.bak"],
  gshadow: ["/etc/gshadow", "gshadow-", "gshadow.edit"],
  shadow: ["/etc/shadow", "shadow-", "shadow+", "shadow~", "shadow.bak", "shadow.rpmnew", "/etc/tcb/bob/shadow"],
  passwords: [
    "shadow.lock",
    "shadow.4321",
    ".shadow.swp",
    "#shadow#",
    ".#shadow0123456789abcdef",
    "shadow.2024",
    "gshadow.lock",
    "/etc/security/opasswd",
    "passwd.lock",
    "passwd.77",
    ".passwd.swp",
    ".#group0123456789abcdef",
    "/var/lib/samba/smbpasswd",
  ],
  diff: [
    "/etc/pam.d/passwd",
    "/usr/bin/passwd",
    "/etc/security/group.conf",
    "shadowsocks.json",
    "/etc/nginx/.htpasswd",
    "mypasswd",
    "passwd.conf",
    "/etc/sudoers",
  ],
};

for (const [kind, paths] of Object.entries(expected)) {
  test(kind, () => expect(paths.map(kindOf)).toEqual(paths.map(() => kind)));
}

test("members of a directory are hashed, but user databases are understood wherever they are", () => {
  const member = (path: string) => consumerFor(path, false).parse(path, fileLook("a\n"), keys);
  expect(member("/srv/notes.txt")).toMatchObject({ consumer: "generic", digest: fileLook("a\n").digest });
  expect(member("/srv/notes.txt")).not.toHaveProperty("text");
  expect(member("/srv/passwd")).toMatchObject({ consumer: "users" });
  expect(member("/srv/gshadow")).toMatchObject({ consumer: "users" });
  expect(member("/srv/gshadow.lock")).toMatchObject({ consumer: "generic", content: "passwords" });
});
