// What is watched where nobody says what: every file is told as its consumer reads it, with what a change of it can mean.
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { SLOW } from "../e2e/process.ts";
import { DEFAULT_WATCH } from "../../src/options.ts";

const FILES = [
  ...["/etc/sudoers", "/etc/sudoers.d/ops", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/a.conf", "/etc/crontab"],
  ...["/etc/anacrontab", "/etc/cron.d/job", "/etc/cron.daily/job", "/var/spool/cron/root"],
  ...["/var/spool/cron/crontabs/root", "/etc/pam.d/sshd", "/etc/nsswitch.conf", "/etc/ld.so.preload"],
  ...["/etc/systemd/system/x.service", "/etc/systemd/system/x.service.d/y.conf"],
];

test(
  "the default set: a diff, and why it matters",
  async () => {
    using root = new TemporaryDirectory();
    for (const file of FILES) root.write(file, "# one\n");
    root.directory("etc/security");
    await using bp = await Bpfink.start({ root: root.path, watch: DEFAULT_WATCH });
    for (const file of FILES) {
      root.write(file, "# two\n");
      expect(await bp.only(file)).toMatchObject({
        ...{ action: "modified", consumer: "diff", add: { Content: ["# two"] }, del: { Content: ["# one"] } },
        why: expect.stringMatching(/^\w+ /),
      });
    }
  },
  SLOW,
);
