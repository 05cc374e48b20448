// On a terminal the changes are for people; elsewhere, and with --json, they are JSON.
import { expect, test } from "bun:test";
import { TemporaryDirectory } from "../e2e/files.ts";
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
