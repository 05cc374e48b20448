import { expect, test } from "bun:test";
import { annotate } from "../../../src/consumers/annotate.ts";
import type { Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { whyOf } from "../../../src/consumers/why.ts";
import { DEFAULT_WATCH, EVERY_USERS_KEYS } from "../../../src/options.ts";
import { fileLook, keys, meta } from "./helpers.ts";

const capability = Uint8Array.from(Buffer.from("0100000200200000000000000000000000000000", "hex"));

function details(path: string, before: Look, after: Look): Record<string, unknown> | undefined {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after].map((look) => JSON.parse(JSON.stringify(consumer.parse(path, look, keys))));
  const found = consumer.compare(path, from, to);
  return found && annotate(path, found, to).details;
}

const was = fileLook("a\n", { mode: 0o644 });

test("what gives rights to others is noted, and what changed to give them", () => {
  expect(details("/srv/x", was, fileLook("a\n", { mode: 0o6757, uid: 7 }))).toEqual({
    attributes: { mode: { from: "0644", to: "6757" }, uid: { from: 0, to: 7 } },
    notes: [
      "setuid: runs as uid 7 (mode 0644 → 6757)",
      "setgid: runs as gid 42 (mode 0644 → 6757)",
      "world-writable (mode 0644 → 6757)",
    ],
  });
  expect(
    details("/srv/x", was, fileLook("b\n", { mode: 0o644, xattrs: new Map([["security.capability", capability]]) })),
  ).toMatchObject({
    attributes: { capabilities: { from: "", to: "cap_net_raw=ep" } },
    notes: ["runs with capabilities: cap_net_raw=ep"],
  });
  const directory = (mode: number): Look => ({ type: "directory", ...meta, mode, size: 0 });
  expect(details("/srv/x", directory(0o755), directory(0o1777))).not.toHaveProperty("notes");
  expect(details("/srv/x", directory(0o755), directory(0o777))?.["notes"]).toEqual([
    "world-writable (mode 0755 → 0777)",
  ]);
});

test("every attribute from what to what, in every consumer", () => {
  const now = fileLook("a\n", {
    mode: 0o644,
    flags: ["immutable", "append only"],
    links: ["a", "b"],
    xattrs: new Map([["user.x", Uint8Array.of(1)]]),
  });
  const attributes = {
    flags: { from: "", to: "immutable, append only" },
    symlink: { from: "", to: "a → b" },
    xattrs: { "user.x": { from: "", to: keys.fingerprint("\u0001") } },
  };
  for (const path of ["/etc/passwd", "/srv/access.conf", "/srv/x", "/etc/gshadow"]) {
    expect(details(path, was, now)?.["attributes"]).toEqual(attributes);
  }
});

test("a symbolic link that leads nowhere, then somewhere, and elsewhere", () => {
  const link = (text: string): Look => ({ type: "symlink", ...meta, mode: 0o777, size: 1, links: [text] });
  const missing: Look = { type: "missing" };
  expect(details("/srv/x", missing, link("a"))).toEqual({
    generic: { current: "", next: "", type: "symlink", inode: meta.inode, symlink: "a", mode: "0777", uid: 0, gid: 42 },
  });
  expect(details("/srv/x", link("a"), link("b"))).toEqual({ attributes: { symlink: { from: "a", to: "b" } } });
  const consumer = consumerFor("/srv/x", true);
  const [before, after] = [link("a"), { ...was, links: ["a"] }].map((look) => consumer.parse("/srv/x", look, keys));
  expect(consumer.compare("/srv/x", before!, after!)).toMatchObject({ action: "created", consumer: "diff" });
  expect(consumer.compare("/srv/x", after!, before!)).toMatchObject({ action: "deleted", consumer: "diff" });
});

test("what comes and goes as a link that leads to something: where", () => {
  const linked: Look = { ...was, links: ["/lib/x", "y"] };
  const missing: Look = { type: "missing" };
  const goal = "/lib/x → y";
  for (const path of ["/srv/x", "/etc/passwd", "/etc/security/access.conf"]) {
    expect(details(path, missing, linked)).toMatchObject({ attributes: { symlink: { from: "", to: goal } } });
    expect(details(path, linked, missing)).toMatchObject({ attributes: { symlink: { from: goal, to: "" } } });
    expect(details(path, missing, was)).not.toHaveProperty("attributes");
  }
});

test.each([
  ["/etc/sudoers.d/ops", "grants root through sudo"],
  ["/etc/ld.so.preload", "runs code in every dynamically linked program"],
  [
    "/etc/systemd/system/multi-user.target.wants/x.service",
    "runs programs as root when the system or a service starts",
  ],
  ["/var/spool/cron/crontabs/bob", "runs a user's commands at set times"],
  ["/home/bob/.ssh/authorized_keys", "lets whoever has the key log in"],
  ["/etc/pam.d/sshd", "decides how people are authenticated: a module here sees every password"],
  ["/etc/ssh/extra.conf", "says who may log in over ssh, and how"],
  ["/etc/ssh/ssh_config.d/x.conf", undefined],
  ["/home/bob/etc/sudoers", undefined],
])("%s: %s", (path, why) => {
  expect(details(path, { type: "missing" }, was)?.["why"]).toBe(why);
});

test("every file of the default set has its why, but for every user's keys, whose files have one", () => {
  const paths = [...DEFAULT_WATCH.filter((path) => path !== EVERY_USERS_KEYS), "/root/.ssh/authorized_keys2"];
  const files = paths.map((path) =>
    path.replace(/\*\*\/\*|\*/, "x").replace("{d,hourly,daily,weekly,monthly}", "daily"),
  );
  expect(files.filter((path) => whyOf(path) === undefined || /[*{]/.test(path))).toEqual([]);
  for (const path of [
    ...["/etc/sudoers", "/etc/sudoers.d/*", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf", "/etc/crontab"],
    ...["/etc/pam.d/*", "/etc/ld.so.preload", "/etc/nsswitch.conf", "/etc/systemd/system/**/*", "/var/spool/cron/*"],
  ])
    expect(DEFAULT_WATCH).toContain(path);
});
