// Techniques that change which file has the name, and what else is said of it.
import {
  created,
  deleted,
  type Expected,
  fanotify,
  modified,
  ONE,
  onFile,
  type Technique,
  TWO,
  unchanged,
} from "./technique.ts";

const two = modified(ONE, TWO);
const waitedFor = { before: { source: TWO } };
const inDirectory = { before: { "d/f": ONE, "e/f": TWO }, watch: ["d/f"] };
const target = { before: { first: ONE, second: TWO, f: { symlink: "first" } } };
/** RENAME_WHITEOUT; RENAME_EXCHANGE is everywhere. */
const whiteout = { btrfs: "5.18", overlay: false } as const;
const tmpfile = { overlay: "6.12" };
/** The kernel's device for a deleted file, seen by who does not know it. */
const device = { action: "created", keys: { generic: { type: "character device" } } } as const;

export const names: readonly Technique[] = [
  onFile("rename-over", two),
  onFile("rename-to-new-name", created(TWO), waitedFor),
  onFile("rename-away", { action: "moved", file: "away", previous: "f", from: ONE }),
  onFile("rename-watched", undefined, {
    watch: ["f", "away"],
    rounds: [[{ action: "moved", file: "away", previous: "f" }]],
  }),
  onFile("rename-noreplace", created(TWO), waitedFor),
  onFile("rename-exchange", two, { before: { f: ONE, source: TWO } }),
  onFile(
    "rename-whiteout",
    { action: "modified", keys: { generic: { type: { from: "file", to: "character device" } } } },
    { since: whiteout },
  ),
  onFile("rename-ancestor", { action: "moved", file: "away/f", previous: "d/f", from: ONE }, inDirectory),
  onFile("rename-over-ancestor", two, inDirectory),
  onFile("exchange-ancestors", two, inDirectory),
  onFile("unlink", deleted(ONE)),
  onFile("unlink-and-create", two),
  onFile("unlink-while-open", deleted(ONE), { rounds: [[deleted(ONE)], []] }),
  onFile("link", created(TWO), waitedFor),
  onFile("unlink-and-link", two, { before: { f: ONE, source: TWO } }),
  onFile("create", created(TWO), { before: {} }),
  onFile("link-tmpfile", created(TWO), { before: {}, since: tmpfile }),
  onFile("link-tmpfile-by-proc", created(TWO), { before: {}, since: tmpfile }),
  onFile("symlink", created(TWO), waitedFor),
  onFile("symlink-swap", two, target),
  onFile("symlink-target-write", two, target),
  onFile("symlink-swap-ancestor", two, {
    before: { "d/f": ONE, "e/f": TWO, link: { symlink: "d" } },
    watch: ["link/f"],
  }),
  onFile("mkdir", { action: "created", keys: { generic: { type: "directory" } } }, { before: {} }),
  onFile("mknod", { action: "created", keys: { generic: { type: "fifo" } } }, { before: {} }),
  onFile("mknod-device", device, { before: {} }),
  onFile("rmdir", { action: "deleted" }, { before: { f: { directory: true } } }),
  onFile("create-tree", created(TWO), { before: {}, watch: ["d/f"], ...fanotify.birth("actor", "right") }),
  onFile("move-tree-in", created(TWO), { before: { "e/f": TWO }, watch: ["d/f"] }),
  onFile("uring-rename", two, { since: "5.11" }),
  onFile("uring-unlink", deleted(ONE), { since: "5.11" }),
  onFile("uring-link", created(TWO), { ...waitedFor, since: "5.15" }),
  onFile("uring-symlink", created(TWO), { ...waitedFor, since: "5.15" }),
  onFile("uring-mkdir", { action: "created", keys: { generic: { type: "directory" } } }, { before: {}, since: "5.15" }),
];

const attributes = (changed: Record<string, unknown>): Expected => ({
  action: "attributes",
  keys: { attributes: changed },
});
const mode = attributes({ mode: { from: "0644", to: "0600" } });
const owner = attributes({ uid: { from: 0, to: 65534 }, gid: { from: 0, to: 65534 } });
/** Extended attributes, ACLs, capabilities, flags: how the line tells of them is for docs/lines.md to say. */
const other: Expected = { action: "attributes" };

/** trusted.* is there on every file system with extended attributes; user.* came to tmpfs late. */
const withXattr = { before: { f: { content: ONE, xattr: ["trusted.bpfink", "0x6f6e65"] as [string, string] } } };
const withAcl = {
  before: {
    f: {
      content: ONE,
      xattr: [
        "system.posix_acl_access",
        "0x0200000001000600ffffffff02000600feff000004000400ffffffff10000600ffffffff20000400ffffffff",
      ] as [string, string],
    },
  },
};
const withCapabilities = {
  before: {
    f: {
      content: ONE,
      xattr: ["security.capability", "0x0100000200200000000000000000000000000000"] as [string, string],
    },
  },
};

export const attributeTechniques: readonly Technique[] = [
  onFile("chmod", mode),
  onFile("fchmod", mode),
  onFile("fchmodat2", mode, { since: "6.6" }),
  onFile("chown", owner),
  onFile("fchown", owner),
  onFile("fchownat", owner),
  unchanged("utimensat"),
  onFile(
    "write-strips-setuid",
    modified(ONE, TWO, { user: "nobody", keys: { attributes: { mode: { from: "4777", to: "0777" } } } }),
    {
      before: { f: { content: ONE, mode: 0o4777 } },
      ...fanotify.actor("actor", "right"),
    },
  ),
  onFile("setxattr", other),
  onFile("fsetxattr", other),
  onFile("setxattr-user", other, { since: { tmpfs: "6.6" } }),
  onFile("setxattrat", other, { since: "6.13" }),
  onFile("uring-setxattr", other, { since: "5.19" }),
  onFile("uring-fsetxattr", other, { since: "5.19" }),
  onFile("removexattr", other, withXattr),
  onFile("acl-set", other),
  onFile("acl-remove", other, withAcl),
  onFile("capabilities-set", other),
  onFile("capabilities-remove", other, withCapabilities),
  onFile("write-strips-capabilities", two, withCapabilities),
  onFile("chattr", other, { since: { tmpfs: "6.0" }, ...fanotify.flags("unseen") }),
  onFile("fssetxattr", other, { since: { tmpfs: "6.0" }, ...fanotify.flags("unseen") }),
  onFile("file-setattr", other, { since: "6.17", ...fanotify.flags("unseen") }),
];
