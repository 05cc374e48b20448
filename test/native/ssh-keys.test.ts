// Every user's SSH keys, wherever passwd and sshd_config say that they are.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { Etc } from "../e2e/etc.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

const etc = new Etc();
let bp: Bpfink;
/** What authorized_keys takes, and the fingerprint that ssh-keygen shows. */
const keys: { readonly line: string; readonly fingerprint: string }[] = [];

beforeAll(async () => {
  for (const name of ["first", "second", "third"]) {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", `${name}@laptop`, "-f", etc.at(name));
    const { stdout } = await run("ssh-keygen", "-lf", etc.at(`${name}.pub`));
    const line = readFileSync(etc.at(`${name}.pub`), "utf8");
    keys.push({ line, fingerprint: stdout.split(" ")[1] ?? "" });
  }
  etc.directory("root");
  bp = await Bpfink.start({ root: etc.path, watch: ["authorized_keys"] });
}, SLOW);
beforeEach(() => bp.forget());
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  etc[Symbol.dispose]();
});

const key = (i: number) => keys[i]!;
const added = (i: number, name: string, user: string) =>
  `key ${key(i).fingerprint} (ED25519, ${name}@laptop) added to ${user}`;

/** Adds a key, at once: one change. */
const copyId = (home: string, line: string) =>
  run(
    "sh",
    "-c",
    `cd "$0" && umask 077 && mkdir -p .ssh && cd .ssh && touch authorized_keys.1 &&
     if [ -e authorized_keys ]; then cp authorized_keys authorized_keys.1; fi &&
     printf '%s' "$1" >> authorized_keys.1 && exec mv authorized_keys.1 authorized_keys`,
    home,
    line,
  );

test("the birth of .ssh, and a key in it", async () => {
  await copyId(etc.at("root"), key(0).line);
  expect(await bp.only("/root/.ssh/authorized_keys")).toMatchObject({
    action: "created",
    origin: "live",
    consumer: "users",
    changes: [added(0, "first", "root")],
    add: [{ user: "root", fingerprint: key(0).fingerprint, type: "ED25519", bits: 256, comment: "first@laptop" }],
    del: [],
  });
});

test("a key more, one with other options, and none any more", async () => {
  await copyId(etc.at("root"), key(1).line);
  const file = "/root/.ssh/authorized_keys";
  expect(await bp.only(file)).toMatchObject({
    action: "modified",
    changes: [added(1, "second", "root")],
    del: [],
    process: { name: "mv" },
  });
  etc.write(`${file}.new`, `from="10.0.0.0/8,!10.1.0.0/16",no-pty ${key(0).line}`, 0o600);
  renameSync(etc.at(`${file}.new`), etc.at(file));
  expect((await bp.only(file))["changes"]).toEqual([
    `options of key ${key(0).fingerprint} of root changed from none to from="10.0.0.0/8,!10.1.0.0/16",no-pty`,
    `key ${key(1).fingerprint} (ED25519, second@laptop) removed from root`,
  ]);
  appendFileSync(etc.at(file), "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEb\n");
  const pasted = await bp.only(file);
  expect(pasted).toMatchObject({
    add: [],
    del: [],
    notes: ["line 2: not a key that sshd would take"].concat("line 3: not a key that sshd would take"),
  });
  expect(JSON.stringify(pasted)).not.toContain("b3Blbn");
  rmSync(etc.at(file));
  expect(await bp.only(file)).toMatchObject({
    action: "deleted",
    changes: [`key ${key(0).fingerprint} (ED25519, first@laptop) removed from root`],
  });
});

test("a user without a shell, made with a home and a key in the same moment", async () => {
  mkdirSync(etc.at("home"));
  const script = `useradd -m -s /usr/sbin/nologin eve && cd /home/eve && mkdir .ssh && printf '%s' "$1" > .ssh/x && mv .ssh/x .ssh/authorized_keys`;
  await etc.tool(["sh", "-c", script, "sh", key(2).line], undefined, ["etc", "home"]);
  expect(await bp.only("/home/eve/.ssh/authorized_keys")).toMatchObject({
    action: "created",
    origin: "live",
    changes: [added(2, "third", "eve")],
  });
  await copyId(etc.at("home/eve"), key(0).line);
  expect(await bp.only("/home/eve/.ssh/authorized_keys")).toMatchObject({ changes: [added(0, "first", "eve")] });
});

test("a user whose home changed is followed; one that went is not", async () => {
  await copyId(etc.directory("srv/eve"), key(1).line);
  await etc.tool(["usermod", "-d", "/srv/eve", "eve"]);
  expect(await bp.only("/srv/eve/.ssh/authorized_keys")).toMatchObject({ changes: [added(1, "second", "eve")] });
  await etc.tool(["userdel", "-f", "eve"]);
  await bp.noMoreLines();
  await copyId(etc.at("srv/eve"), key(0).line);
  await bp.noMoreLines();
});

test("sshd_config moves the keys, and files that it includes", async () => {
  etc.write("etc/ssh/keys/ann", key(0).line);
  etc.write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nAuthorizedKeysFile /etc/ssh/keys/%u\n");
  expect(await bp.only("/etc/ssh/keys/ann")).toMatchObject({ action: "created", changes: [added(0, "first", "ann")] });
  etc.write("etc/ssh/more/root", key(1).line);
  etc.write(
    "etc/ssh/sshd_config.d/a.conf",
    "Match User ann\nAuthorizedKeysFile /x\nMatch all\nAuthorizedKeysFile /etc/ssh/more/%u\n",
  );
  expect(await bp.only("/etc/ssh/more/root")).toMatchObject({ changes: [added(1, "second", "root")] });
  await bp.stderr(/sshd_config\.d\/a\.conf line 2: AuthorizedKeysFile in a Match block is not followed/);
  rmSync(etc.at("etc/ssh/sshd_config.d/a.conf"));
  await bp.noMoreLines();
  etc.write("etc/ssh/keys/ann", key(2).line);
  expect(await bp.only("/etc/ssh/keys/ann")).toMatchObject({
    changes: [added(2, "third", "ann")].concat(`key ${key(0).fingerprint} (ED25519, first@laptop) removed from ann`),
  });
  etc.write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n");
  await bp.noMoreLines();
});

test(
  "what happened while bpfink was not running: keys of a user that is new",
  async () => {
    await bp.stop();
    await etc.tool(["useradd", "-M", "-d", "/srv/new", "new"]);
    await copyId(etc.directory("srv/new"), key(0).line);
    const again = await Bpfink.start({ root: etc.path, watch: ["authorized_keys"], database: bp.database });
    await using _ = again;
    expect(await again.only("/srv/new/.ssh/authorized_keys")).toMatchObject({
      action: "created",
      origin: "startup",
      changes: [added(0, "first", "new")],
    });
  },
  SLOW,
);

test(
  "what sshd_config includes is watched like it, from the moment it is included",
  async () => {
    using root = new TemporaryDirectory();
    root.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    root.write("etc/ssh/sshd_config", "Include /etc/ssh/one.conf\n");
    root.write("etc/ssh/one.conf", "PermitRootLogin no\n");
    root.write("srv/two.conf", "PasswordAuthentication yes\n");
    await using bp = await Bpfink.start({ root: root.path, watch: ["/etc/ssh/sshd_config", "authorized_keys"] });
    root.write("etc/ssh/one.conf", "PermitRootLogin yes\n");
    expect(await bp.only("/etc/ssh/one.conf")).toMatchObject({
      ...{ consumer: "diff", add: { Content: ["PermitRootLogin yes"] } },
      why: "says who may log in over ssh, and how",
    });
    root.write("etc/ssh/sshd_config", "Include /etc/ssh/one.conf\nInclude /srv/*.conf\n");
    const lines = await bp.rest();
    expect(lines.map(({ action, file }) => `${action} ${file}`)).toEqual([
      "modified /etc/ssh/sshd_config",
      "created /srv/two.conf",
    ]);
  },
  SLOW,
);
