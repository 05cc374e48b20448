// What a file is besides its content: capabilities, ACLs, extended attributes, chattr's flags, links, types.
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

/** setfattr(1) and setfacl(1) may not be installed. */
const setXattr = (path: string, name: string, hex: string) =>
  run(
    "python3",
    "-c",
    "import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))",
    path,
    name,
    hex,
  );

const ACL = "0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff";
const SECRET = "GHJKLMNPQRSTUVW";

test(
  "what was set while bpfink was not there is told from what to what, with what it means",
  async () => {
    using directory = new TemporaryDirectory();
    const tool = directory.write("tool", "\0\u0001binary", 0o755);
    const text = directory.write("text", "one\n", 0o640);
    const flagged = directory.write("flagged", "one\n");
    const database = directory.at("db/bpfink.db");
    const start = () => Bpfink.start({ watch: [tool, text, flagged], database });
    await using first = await start();
    await first.stop();
    await run("setcap", "cap_net_raw,cap_chown=ep", tool);
    await setXattr(text, "system.posix_acl_access", ACL);
    await setXattr(text, "user.token", Buffer.from(SECRET).toString("hex"));
    await run("chattr", "+a", flagged);
    try {
      await using second = await start();
      expect(await second.nextChange(tool)).toMatchObject({
        action: "attributes",
        origin: "startup",
        consumer: "generic",
        attributes: { capabilities: { from: "", to: "cap_chown,cap_net_raw=ep" } },
        notes: ["runs with capabilities: cap_chown,cap_net_raw=ep"],
      });
      const line = await second.nextChange(text);
      expect(line).toMatchObject({
        action: "attributes",
        consumer: "diff",
        attributes: {
          acl: { from: "", to: "u::rw-,u:1000:r--,g::r--,m::r--,o::---" },
          xattrs: { "user.token": { from: "", to: expect.stringMatching(/^[0-9a-f]{8}$/) } },
        },
      });
      expect(JSON.stringify(line)).not.toContain(SECRET.slice(0, 5));
      expect(await second.nextChange(flagged)).toMatchObject({
        attributes: { flags: { from: "", to: "append only" } },
      });
      await second.noMoreLines();

      chmodSync(tool, 0o4755);
      const expected = { mode: { from: "0755", to: "4755" } };
      expect(await second.only(tool)).toMatchObject({
        action: "attributes",
        attributes: expected,
        notes: [expect.stringContaining("setuid: runs as uid 0 (mode 0755 → 4755)"), expect.any(String)],
        process: { pid: process.pid },
      });
    } finally {
      await run("chattr", "-a", flagged);
    }
  },
  SLOW,
);

test(
  "a symbolic link and its target: pointed elsewhere to the same content, nowhere, in a loop; types of all kinds",
  async () => {
    using directory = new TemporaryDirectory();
    directory.write("a", "same\n");
    directory.write("b", "same\n");
    const link = directory.at("link");
    symlinkSync("a", link);
    const chameleon = directory.write("chameleon", "one\n");
    const members = directory.directory("members");
    await using bp = await Bpfink.start({ watch: [link, chameleon, members] });
    const point = (target: string) => {
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
    };

    point("b");
    expect(await bp.only(link)).toMatchObject({
      action: "attributes",
      attributes: { symlink: { from: "a", to: "b" } },
    });
    writeFileSync(directory.at("b"), "other\n");
    expect(await bp.only(link)).toMatchObject({ action: "modified", add: { Content: ["other"] } });
    point("link");
    expect(await bp.only(link)).toMatchObject({ action: "deleted", del: { Content: ["other"] } });
    point("nowhere");
    expect(await bp.only(link)).toMatchObject({
      action: "attributes",
      attributes: { symlink: { from: expect.stringMatching(/^link → link/), to: "nowhere" } },
    });
    writeFileSync(directory.at("nowhere"), "there\n");
    expect(await bp.only(link)).toMatchObject({ action: "created", add: { Content: ["there"] } });

    const planted = `${members}/planted.service`;
    symlinkSync("/nonexistent/evil", planted);
    expect(await bp.only(planted)).toMatchObject({
      action: "created",
      generic: { type: "symlink", symlink: "/nonexistent/evil" },
    });
    unlinkSync(planted);
    expect(await bp.only(planted)).toMatchObject({ action: "deleted" });

    const become = async (make: (path: string) => unknown) => {
      await make(`${chameleon}.new`);
      rmSync(chameleon, { recursive: true });
      renameSync(`${chameleon}.new`, chameleon);
      return (await bp.rest()).at(-1);
    };
    expect(await become((path) => run("mkfifo", path))).toMatchObject({ generic: { next: "" } });
    expect(await become((path) => run("mknod", path, "c", "1", "5"))).toMatchObject({ generic: { next: "" } });
    expect(await become((path) => mkdirSync(path))).toMatchObject({ file: chameleon });
    expect(await become((path) => symlinkSync("chameleon", path))).toMatchObject({ file: chameleon });
    expect(await become((path) => writeFileSync(path, "end\n"))).toMatchObject({ add: { Content: ["end"] } });
  },
  SLOW,
);

test(
  "this machine's own passwd is a FIFO that nobody writes to: users have their numbers, and nothing waits for it",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "one\n");
    const fifo = directory.at("fifo");
    await run("mkfifo", fifo);
    const wrapper = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"', fifo];
    await using bp = await Bpfink.start({ watch: [file, "/etc/passwd"], wrapper });
    writeFileSync(file, "two\n");
    expect(await bp.only(file)).toMatchObject({ add: { Content: ["two"] }, user: "0" });
  },
  SLOW,
);
