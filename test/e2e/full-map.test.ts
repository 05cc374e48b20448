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
    const files = Array.from({ length: 2 * ROOM }, (_, i) => directory.write(`tree/${i}`, "before\n"));
    const first = directory.write("a/first", "before\n");
    const args = ["--max-watches", String(ROOM)];
    await using bp = await Bpfink.start({ watch: [first, tree], args });
    await bp.line({ action: "blind", level: "error" });
    await bp.stderr(/no room in the kernel's watch map; start bpfink with a greater --max-watches/);
    expect(watched(bp.pid)).toBe(ROOM);
    writeFileSync(first, "after\n");
    expect(await bp.nextChange(first)).toMatchObject({ origin: "live", add: { Content: ["after"] } });
    const last = files.at(-1)!;
    writeFileSync(last, "unseen\n");
    for (const file of files.slice(0, -1)) {
      rmSync(file);
      await bp.line({ file, action: "deleted" });
    }
    await bp.line({ action: "seeing" });
    expect(await bp.line({ file: last, origin: "gap" })).toMatchObject({ action: "modified" });
    writeFileSync(last, "seen again\n");
    expect(await bp.line({ file: last })).toMatchObject({ action: "modified", origin: "live" });
    expect(bp.lines.filter(({ action }) => action === "blind")).toHaveLength(1);
  },
  SLOW,
);
