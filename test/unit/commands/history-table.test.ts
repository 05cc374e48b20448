import { expect, test } from "bun:test";
import { historyDiff } from "../../../src/commands/history-table.ts";

const marked = (colour: string, text: string) => `<${colour}>${text}`;

test.each([
  [
    "a diff, without the names of the files",
    { diff: "--- /f\n+++ /f\n@@ -1,1 +1,1 @@\n-one\n+two\u001b\n" },
    ["<cyan>@@ -1,1 +1,1 @@", "<red>-one", "<green>+two\\u001b"],
  ],
  [
    "entries of users",
    { add: [{ user: "eve", uid: 0 }], del: [{ user: "eve", uid: 1000 }] },
    ['<red>- {"user":"eve","uid":1000}', '<green>+ {"user":"eve","uid":0}'],
  ],
  ["a line of nothing that was added or removed", { message: "bpfink started" }, []],
])("%s", (_, line, rows) => {
  expect(historyDiff(line, marked)).toBe(rows.map((row) => `    ${row}\n`).join(""));
});
