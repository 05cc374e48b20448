// Lines in the schemas of others, whose chain can be verified all the same.
import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, SLOW } from "../e2e/process.ts";

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
