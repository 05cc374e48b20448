// On a terminal the changes are for people; elsewhere, and with --json, they are JSON.
import { expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { TemporaryDirectory } from "../e2e/files.ts";
import { Bpfink } from "../e2e/bpfink.ts";
import { BPFINK, end, SLOW } from "../e2e/process.ts";

test(
  "check on a terminal",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "1\n");
    const args = `check --watch ${file} --database ${directory.at("db/x.db")}`;
    await end([BPFINK, ...args.split(" "), "--update"]);
    directory.write("file", "2\n");
    const shown = async (more: string, env: Record<string, string> = {}) =>
      (await end(["script", "-qec", `${BPFINK} ${args} ${more} 2>/dev/null`, "/dev/null"], { env })).stdout;
    expect(await shown("")).toContain("\u001b[32m+2\u001b[0m");
    const plain = await shown("", { NO_COLOR: "1" });
    expect(plain).not.toContain("\u001b");
    expect(plain).toMatch(/^\d\d:\d\d:\d\d modified .*\/file \(startup\)\r\n {4}@@ .*\r\n {4}-1\r\n {4}\+2\r\n$/);
    expect(JSON.parse(await shown("--json"))).toMatchObject({ file, action: "modified" });
    expect(JSON.parse((await end([BPFINK, ...args.split(" ")])).stdout)).toMatchObject({ file });
  },
  SLOW,
);

/** What a terminal obeys: CSI with ESC and as one character, OSC, a bell; and text that runs backwards. */
const HOSTILE = "\u001b[2J\u009b31m\u001b]0;x\u0007\u202etxt\r";
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

test(
  "names, contents and arguments steer no terminal: rows, JSON, errors, history",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write(HOSTILE, "0\n");
    const database = directory.at("db/x.db");
    {
      await using bp = await Bpfink.start({ watch: [directory.path], database, args: ["--exclude", `${database}*`] });
      await end(["sh", "-c", `echo "$1" > "$2"`, HOSTILE, HOSTILE, file]);
      const line = await bp.line({ file });
      expect(line.process?.args).toContain(HOSTILE);
      expect(bp.texts.filter((text) => STEERING.test(text))).toEqual([]);
      renameSync(file, `${file}2`);
      await bp.line({ file: `${file}2` });
      await bp.stop();
      expect(bp.texts.filter((text) => STEERING.test(text))).toEqual([]);
    }
    writeFileSync(`${file}2`, "changed while nobody watched\n");
    const check = ["check", "--watch", directory.path, "--exclude", `${database}*`, "--database", database];
    const onTerminal = async (args: readonly string[]) => {
      const command = [BPFINK, ...args].map((word) => `'${word}'`).join(" ");
      return (await end(["script", "-qec", command, "/dev/null"], { env: { NO_COLOR: "1" } })).stdout.replaceAll(
        "\r\n",
        "\n",
      );
    };
    for (const args of [
      ...[check, [...check, "--json"], [...check, "--format", "ecs"], [...check, "--format", "ocsf"]],
      ...[
        ["history", "--diff"],
        ["history", "--json"],
      ].map((command) => [...command, "--database", database]),
      ["config", "check", directory.write("c.toml", `role = "\\u001b[31m\\u009b31m\\u202e"\n`)],
      ["config", "check", `/no/such/${HOSTILE}`],
      ["verify", `/no/such/${HOSTILE}`],
      ["--root", `/no/such/${HOSTILE}`],
    ]) {
      const shown = await onTerminal(args);
      expect(shown.length).toBeGreaterThan(20);
      expect({ args, shown: STEERING.exec(shown) && shown }).toEqual({ args, shown: null });
    }
  },
  SLOW,
);

test(
  "the progress bar fits the terminal; a dumb one has none",
  async () => {
    using directory = new TemporaryDirectory();
    for (let i = 0; i < 4000; i++) directory.write(`tree/${i}`, "x\n");
    const database = directory.at("db/x.db");
    const args = `check --watch ${directory.at("tree")} --database ${database}`;
    await end([BPFINK, ...args.split(" "), "--update"]);
    const bars = async (columns: number, env: Record<string, string>) => {
      const command = `stty cols ${columns}; ${BPFINK} ${args} >/dev/null`;
      const { stdout } = await end(["script", "-qec", command, "/dev/null"], { env: { TERM: "xterm", ...env } });
      // oxlint-disable-next-line no-control-regex
      return stdout.split(/\r?\n|\r\u001b\[K/).filter((text) => text.startsWith("checking"));
    };
    for (const columns of [40, 80, 200]) {
      const shown = await bars(columns, {});
      expect(shown).not.toEqual([]);
      expect(shown.filter((text) => text.length >= columns)).toEqual([]);
    }
    expect(await bars(80, { TERM: "dumb" })).toEqual([]);
  },
  3 * SLOW, // five looks at 4,000 files
);
