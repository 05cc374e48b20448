// For a kernel that preempts tasks wherever they are (preempt=full), run in a boot of its own: test/vm/suite.ts.
// There trampolines are skipped while another task of the same processor was preempted in one.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { environment, run, SLOW } from "../e2e/process.ts";

/** Saves of each writer, each of a file of its own. */
const EACH = 25;
/** On each processor, a writer of a file of its own that never pauses: most of the time one is preempted in a program. */
const OTHERS = 1;

test("the kernel is one of those", () => {
  expect(readFileSync("/proc/cmdline", "utf8")).toContain("preempt=full");
  expect(availableParallelism()).toBeGreaterThanOrEqual(2);
});

test.each(["ebpf/fentry", "ebpf/kprobe"])(
  "%s: writers on two processors at once: each write is reported, or a gap line says that it may not be",
  async (backend) => {
    using directory = new TemporaryDirectory();
    const filesOf = (cpu: number) => Array.from({ length: EACH }, (_, i) => `${cpu}-${i}`);
    for (const cpu of [0, 1]) for (const name of filesOf(cpu)) directory.write(`tree/${name}`, "before\n");
    await using bp = await Bpfink.start({
      watch: [directory.at("tree")],
      args: ["--backend", backend, "--ring-size", "16M"],
    });
    const others = [0, 1].flatMap((cpu) =>
      Array.from({ length: OTHERS }, (_, i) =>
        Bun.spawn(
          [
            "taskset",
            "-c",
            String(cpu),
            "dd",
            "if=/dev/zero",
            `of=${directory.at(`tree/other-${cpu}-${i}`)}`,
            "bs=1",
            "conv=notrunc",
          ],
          { env: environment(), stdin: "ignore", stdout: "ignore", stderr: "ignore" },
        ),
      ),
    );
    try {
      const script = 'cd "$1"; shift; for name in "$@"; do echo after > "$name"; done';
      const save = (cpu: number) =>
        run("taskset", "-c", String(cpu), "sh", "-c", script, "sh", directory.at("tree"), ...filesOf(cpu));
      // The others are at work. What grew to more than a MiB before it was found, as its birth was lost, is read again
      // and again for half a minute (src/watch/long-reads.ts).
      const busy = [0, 1].map((cpu) => directory.at(`tree/other-${cpu}-${OTHERS - 1}`));
      await Promise.all(busy.map((file) => bp.line({ file }, { timeout: SLOW })));
      await Promise.all([save(0), save(1)]);
    } finally {
      others.forEach((other) => other.kill("SIGKILL"));
      await Promise.all(others.map(({ exited }) => exited));
    }
    const files = [0, 1].flatMap(filesOf).map((name) => directory.at("tree", name));
    const origins = new Map<string, number>();
    for (const file of files) {
      const { origin } = await bp.line({ file, action: "modified" });
      origins.set(String(origin), (origins.get(String(origin)) ?? 0) + 1);
    }
    const gaps = bp.lines.filter(({ action }) => action === "gap");
    console.log(backend, Object.fromEntries(origins), gaps.map((gap) => gap["lost"]).join("+"));
    if (gaps.length === 0) expect(origins).toEqual(new Map([["live", files.length]]));
    for (const gap of gaps) expect(gap).toMatchObject({ lost: expect.any(Number), since: expect.any(String) });
  },
  2 * SLOW,
);
