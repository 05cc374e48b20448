// A source that falls silent is noticed: for fanotify its marks are taken away, for eBPF its thread is held.
import { expect, test } from "bun:test";
import { closeSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "./files.ts";
import { SLOW } from "./process.ts";
import { hold, system, takeFd } from "./threads.ts";

// x86-64's numbers, asm/unistd_64.h
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
