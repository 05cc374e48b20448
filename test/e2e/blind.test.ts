// What keeps eBPF from seeing changes is said, and they are found when it is over: a watch map with too little room,
// and the kernel's switches that silence programs without a word to who attached them.
import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, run, SLOW } from "./process.ts";
import { watched } from "./watched.ts";

const ROOM = 24;

const FTRACE = { path: "/proc/sys/kernel/ftrace_enabled", reason: "the sysctl kernel.ftrace_enabled is 0" };
const KPROBES = { path: "/sys/kernel/debug/kprobes/enabled", reason: "all kprobes are disarmed" };
const switches = (backend: string) => (backend === "ebpf/kprobe" ? [FTRACE, KPROBES] : [FTRACE]);

/** Returns whether the kernel lets it be turned off: 5.10 does not while trampolines are attached. */
function turnOff(path: string): boolean {
  try {
    writeFileSync(path, "0");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw error;
  }
}

test.if(inVm)(
  "a full watch map, and hooks that are turned off: a line says so, and another when it is over",
  async () => {
    using directory = new TemporaryDirectory();
    const tree = directory.directory("tree");
    const files = Array.from({ length: ROOM }, (_, i) => directory.write(`tree/${i}`, "0\n"));
    const first = directory.write("a/first", "0\n");
    const args = ["--max-watches", String(ROOM), "--canary", "0"];
    await using bp = await Bpfink.start({ watch: [first, tree], args });
    await bp.line({ action: "blind", level: "error" });
    await bp.stderr(/the kernel's watch map is full; start bpfink with a greater --max-watches/);
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

    const file = unseen[0]!;
    for (const { path, reason } of switches(String(bp.lines[0]?.["backend"]))) {
      await bp.rest();
      if (!existsSync(path)) await run("mount", "-t", "debugfs", "none", "/sys/kernel/debug");
      if (!turnOff(path)) continue;
      try {
        await bp.line({ action: "blind", message: `changes are not seen: ${reason}` });
        writeFileSync(file, `${path}\n`);
      } finally {
        writeFileSync(path, "1");
      }
      await bp.line({ action: "seeing", message: `over: ${reason}` });
      const found = await bp.line({ file });
      expect(found).toMatchObject({ action: "modified" });
      // by the look at everything, or before by one at a file of which the kernel did not say whether it is written
      expect(found.origin).toMatch(/^(gap|live)$/);
      expect(found).not.toHaveProperty("process");
    }
  },
  SLOW,
);
