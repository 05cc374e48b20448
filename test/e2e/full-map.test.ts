// A watch map with too little room: that is said, what has room is watched all the same, and the rest as soon as it can be.
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, SLOW } from "./process.ts";
import { watched } from "./watched.ts";

const ROOM = 24;

test.if(inVm)(
  "a full watch map is no end: there is a line, and another when there is room again",
  async () => {
    using directory = new TemporaryDirectory();
    const tree = directory.directory("tree");
    const files = Array.from({ length: ROOM }, (_, i) => directory.write(`tree/${i}`, "0\n"));
    const first = directory.write("a/first", "0\n");
    const args = ["--max-watches", String(ROOM), "--canary", "0"];
    await using bp = await Bpfink.start({ watch: [first, tree], args });
    await bp.line({ action: "blind", level: "error" });
    await bp.stderr(/no room in the kernel's watch map; start bpfink with a greater --max-watches/);
    expect(watched(bp.pid)).toBe(ROOM);
    for (const file of files) writeFileSync(file, "1\n");
    writeFileSync(first, "1\n"); // the last to be looked at
    await bp.line({ file: first, origin: "live" });
    const seen = new Set(bp.lines.map(({ file }) => file));
    const unseen = files.filter((file) => !seen.has(file));
    expect(unseen).not.toEqual([]);
    expect(unseen.length).toBeLessThan(files.length / 2);
    for (const file of files) if (seen.has(file)) rmSync(file);
    await bp.line({ action: "seeing" });
    for (const file of unseen) expect(await bp.line({ file })).toMatchObject({ action: "modified", origin: "gap" });
    for (const file of unseen) writeFileSync(file, "2\n");
    for (const file of unseen) expect(await bp.line({ file })).toMatchObject({ action: "modified", origin: "live" });
  },
  SLOW,
);
