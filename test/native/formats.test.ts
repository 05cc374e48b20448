// Lines in the schemas of others, whose chain can be verified all the same.
import { expect, test } from "bun:test";
import { closeSync, copyFileSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, run, SLOW } from "../e2e/process.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test.each(["ecs", "ocsf"])(
  "--format %s",
  async (format) => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "one\n");
    const log = directory.write("log", "");
    const fd = openSync(log, "a");
    await using bp = await Bpfink.start({ watch: [file], args: ["--format", format], stdout: fd });
    closeSync(fd);
    writeFileSync(file, "two\n");
    const printed = () => readFileSync(log, "utf8").trim().split("\n");
    while (printed().length < 2) await Bun.sleep(10);
    await bp.stop();
    const lines = printed();
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject(
      format === "ecs"
        ? [
            { event: { action: "started" } },
            { event: { action: "modified" }, file: { path: file }, process: { pid: process.pid } },
            { event: { action: "stopped" } },
          ]
        : [
            { class_uid: 6002, activity_id: 3 },
            { class_uid: 1001, activity_id: 3, file: { path: file }, actor: { process: { pid: process.pid } } },
            { class_uid: 6002, activity_id: 4 },
          ],
    );
    const verify = () => bpfink(["verify", "--database", bp.database, log]);
    expect(await verify()).toMatchObject({ status: 0 });
    writeFileSync(log, `${lines[0]}\n${lines[1]!.replaceAll("two", "six")}\n${lines[2]}\n`);
    expect(await verify()).toMatchObject({ status: 1, stdout: expect.stringMatching(/log:2: seq 2 was changed/) });
  },
  SLOW,
);

test.each(["bpfink", "ecs", "ocsf"])(
  "--format %s: a line that a full disk tore is no finding, as it is printed again; one that somebody cut is",
  async (format) => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "one\n");
    const disk = directory.directory("disk");
    const log = directory.at("log");
    const database = directory.at("state/x.db");
    const start = (to: string) => {
      const stdout = openSync(to, "a");
      const options = { watch: [file], database, args: ["--format", format, "--backend", "fanotify"], stdout };
      return Bpfink.start(options).finally(() => closeSync(stdout));
    };
    const verify = () => bpfink(["verify", "--database", database, log]);
    await run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk);
    try {
      await using bp = await start(`${disk}/log`);
      const fill = setInterval(() => writeFileSync(file, `${crypto.randomUUID().repeat(20)}\n`), 50);
      const { status, stderr } = await bp.ended().finally(() => clearInterval(fill));
      expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringContaining("stdout cannot be written") });
      copyFileSync(`${disk}/log`, log);
    } finally {
      await run("umount", disk);
    }
    const printed = readFileSync(log, "utf8");
    // one byte less if the disk happened to be full just before the newline: nothing of that line is lost
    const torn = (isJson(printed.slice(printed.lastIndexOf("\n"))) ? printed.slice(0, -1) : printed).split("\n");
    expect(isJson(torn.at(-1)!)).toBe(false);
    const amiss = { status: 0, stdout: expect.stringContaining("nothing amiss") };
    expect(await verify()).toMatchObject({ ...amiss, stderr: expect.stringContaining("the last line is torn") });
    // what was printed whole is not to come again
    const whole = torn.at(-2)!;
    writeFileSync(log, [...torn.slice(0, -2), whole.slice(0, -50)].join("\n"));
    const cut = await verify();
    const found = new RegExp(`log:${torn.length - 1}: (?:is no line|seq \\d was changed)`);
    expect([cut.status, cut.stdout]).toEqual([1, expect.stringMatching(found)]);

    writeFileSync(log, torn.join("\n"));
    {
      await using bp = await start(log);
      await bp.stop();
    }
    expect(await verify()).toMatchObject({ ...amiss, stderr: "" });
  },
  SLOW,
);
