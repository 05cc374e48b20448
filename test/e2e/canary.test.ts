// A source that falls silent is noticed: for fanotify its marks are taken away, for eBPF its thread is held.
import { expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "./files.ts";
import { inVm, SLOW } from "./process.ts";
import { hold, system, takeFd } from "./threads.ts";

// x86-64's numbers, asm/unistd_64.h
const IOCTL = 16;
const FANOTIFY_MARK = 301;
const EPOLL_WAIT = "232";

/** Makes a running bpfink's source silent; the function returned lets it speak again. */
function silence(pid: number, canary: string): () => void {
  const tasks = readdirSync(`/proc/${pid}/task`).map(Number);
  const isPolling = (tid: number) =>
    readFileSync(`/proc/${pid}/task/${tid}/syscall`, "utf8").startsWith(`${EPOLL_WAIT} `);
  const fanotify = readdirSync(`/proc/${pid}/fd`).find(
    (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === "anon_inode:[fanotify]",
  );
  return fanotify === undefined ? hold(tasks.find(isPolling)!) : flush(pid, Number(fanotify), canary);
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

/** Kprobes of a running bpfink fire no more; trampolines are attached for as long as their own process has them. */
function detach(pid: number): () => void {
  const [ENABLE, DISABLE] = [0x2400, 0x2401]; // PERF_EVENT_IOC_*, <linux/perf_event.h>
  const events = readdirSync(`/proc/${pid}/fd`).filter(
    (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === "anon_inode:[perf_event]",
  );
  expect(events).not.toEqual([]);
  const ours = events.map((fd) => takeFd(pid, Number(fd)));
  for (const fd of ours) system(IOCTL, fd, DISABLE);
  return () => {
    for (const fd of ours) system(IOCTL, fd, ENABLE);
    ours.forEach(closeSync);
  };
}

/** [what is done to it, with which arguments, how] */
const silences: readonly (readonly [string, readonly string[], typeof silence])[] = [
  ["its source falls silent", [], silence],
  ...(inVm ? [["its programs are detached", ["--backend", "ebpf/kprobe"], detach] as const] : []),
];

test.each(silences)(
  "when %s there is a blind line, changes are found all the same, and its end is told",
  async (_what, more, silence) => {
    using directory = new TemporaryDirectory(MEMORY_FILES);
    const file = directory.write("f", "0\n");
    const database = directory.at("state/x.db");
    await using bp = await Bpfink.start({ watch: [file], database, args: ["--canary", "1", ...more] });
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
