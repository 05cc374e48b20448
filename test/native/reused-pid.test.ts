// Who acted is gone when its event is read, and another process has its number: that one is not blamed.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Bpfink } from "../e2e/bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

/** A process with the number of one that is gone; others may take it first, so it is tried again. */
async function successorOf(pid: number) {
  for (let tries = 0; tries < 200; tries++) {
    writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
    const child = Bun.spawn(["sleep", "600"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    if (child.pid === pid) return { [Symbol.dispose]: () => child.kill("SIGKILL") };
    child.kill("SIGKILL");
    await child.exited;
  }
  throw new Error(`no process got the number ${pid}`);
}

test.each([
  ["on a file system that writes back", tmpdir(), "sh"], // beside fanotify a tracepoint tells who it was
  ["in memory", MEMORY_FILES, undefined],
])(
  "a process that got the number of who acted: %s",
  async (_, place, name) => {
    using directory = new TemporaryDirectory(place);
    const file = directory.write("f", "0\n");
    await using bp = await Bpfink.start({ watch: [file] });
    const paused = await bp.pause();
    const { pid } = await run("sh", "-c", `echo 1 > ${file}`);
    using _innocent = await successorOf(pid);
    paused[Symbol.dispose]();
    const line = await bp.only(file);
    expect(line.process?.name).toBe(line.backend === "fanotify" ? name : "sh");
  },
  SLOW,
);
