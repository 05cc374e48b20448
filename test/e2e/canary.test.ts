// A source that falls silent is noticed: for fanotify its marks are taken away, for eBPF its thread is held.
import { expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "./files.ts";
import { inVm, PATIENCE, SLOW } from "./process.ts";
import { closeIn, hold, system, takeFd } from "./threads.ts";

// x86-64's numbers, asm/unistd_64.h
const FANOTIFY_MARK = 301;
const EPOLL_WAIT = "232";

/** The thread that waits for the ring buffer. */
function polling(pid: number): number {
  const isPolling = (tid: number) =>
    readFileSync(`/proc/${pid}/task/${tid}/syscall`, "utf8").startsWith(`${EPOLL_WAIT} `);
  return readdirSync(`/proc/${pid}/task`).map(Number).find(isPolling)!;
}

/** Makes a running bpfink's source silent; the function returned lets it speak again. */
function silence(pid: number, canary: string): () => void {
  const fanotify = readdirSync(`/proc/${pid}/fd`).find(
    (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === "anon_inode:[fanotify]",
  );
  return fanotify === undefined ? hold(polling(pid)) : flush(pid, Number(fanotify), canary);
}

function flush(pid: number, fd: number, canary: string): () => void {
  const [ADD, FLUSH, MODIFY, AT_FDCWD] = [1, 0x80, 2, -100];
  const ours = takeFd(pid, fd);
  system(FANOTIFY_MARK, ours, FLUSH);
  return () => {
    const path = Buffer.from(`${canary}\0`);
    system(FANOTIFY_MARK, ours, ADD, MODIFY, AT_FDCWD, path);
    closeSync(ours);
  };
}

test(
  "when no events come any more there is a blind line, changes are found all the same, and its end is told",
  async () => {
    using directory = new TemporaryDirectory(MEMORY_FILES);
    const file = directory.write("f", "0\n");
    const database = directory.at("state/x.db");
    await using bp = await Bpfink.start({ watch: [file], database, args: ["--canary", "1"] });
    writeFileSync(file, "1\n");
    await bp.nextChange(file);
    await bp.noMoreLines(); // nobody hears of the canary itself
    const speak = silence(bp.pid, `${database}-canary`);
    writeFileSync(file, "2\n");
    expect(await bp.line({ action: "blind" })).toMatchObject({ level: "error", silent: expect.any(Number) });
    expect(await bp.nextChange(file)).toMatchObject({ origin: "gap", add: { Content: ["2"] } });
    speak();
    expect(await bp.line({ action: "seeing" })).toMatchObject({ level: "info", blind: expect.any(Number) });
    expect((await bp.stop()).status).toBe(0);
    expect(bp.lines.filter(({ action }) => action === "blind")).toHaveLength(1);
  },
  SLOW,
);

test.if(inVm)(
  "when its programs are detached there is a blind line, and changes are found all the same",
  async () => {
    using directory = new TemporaryDirectory(MEMORY_FILES);
    const file = directory.write("f", "0\n");
    await using bp = await Bpfink.start({ watch: [file], args: ["--canary", "1"] });
    if (bp.lines[0]?.backend === "fanotify") return;
    writeFileSync(file, "1\n");
    await bp.nextChange(file);
    const isAttached = (fd: string) => /bpf.link|perf_event/.test(readlinkSync(`/proc/${bp.pid}/fd/${fd}`));
    const attached = readdirSync(`/proc/${bp.pid}/fd`).filter(isAttached).map(Number);
    expect(attached).not.toEqual([]);
    closeIn(polling(bp.pid), attached);
    expect(await bp.line({ action: "blind" })).toMatchObject({ level: "error", silent: expect.any(Number) });
    writeFileSync(file, "2\n");
    expect(await bp.nextChange(file)).toMatchObject({ origin: "gap", add: { Content: ["2"] } });
    // what was on its way while the thread was held can be seen yet, and nothing after it
    await Bun.sleep(PATIENCE / 4);
    const told = bp.lines.filter(({ action }) => action === "blind" || action === "seeing");
    expect(told.at(-1)?.action).toBe("blind");
  },
  2 * SLOW,
);
