// A source that falls silent is noticed: for fanotify its marks are taken away, which it then makes anew; for eBPF its
// thread is held.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { MEMORY_FILES, TemporaryDirectory } from "./files.ts";
import { SLOW } from "./process.ts";
import { hold, takeMarks } from "./threads.ts";

/** x86-64's number, asm/unistd_64.h. */
const EPOLL_WAIT = "232";

/** Makes a running bpfink's source silent; the function returned lets it speak again. */
function silence(pid: number): () => void {
  if (takeMarks(pid)) return () => {}; // nobody gives them back but bpfink itself
  const isPolling = (tid: number) =>
    readFileSync(`/proc/${pid}/task/${tid}/syscall`, "utf8").startsWith(`${EPOLL_WAIT} `);
  return hold(readdirSync(`/proc/${pid}/task`).map(Number).find(isPolling)!);
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
    const speak = silence(bp.pid);
    writeFileSync(file, "2\n");
    expect(await bp.line({ action: "blind" })).toMatchObject({ level: "error", silent: expect.any(Number) });
    expect(await bp.nextChange(file)).toMatchObject({ origin: "gap", add: { Content: ["2"] } });
    speak();
    expect(await bp.line({ action: "seeing" })).toMatchObject({ level: "info", blind: expect.any(Number) });
    await bp.rest();
    writeFileSync(file, "3\n");
    const seen = await bp.nextChange(file);
    expect(seen).toMatchObject({ origin: "live", add: { Content: ["3"] }, process: { pid: process.pid } });
    expect((await bp.stop()).status).toBe(0);
    expect(bp.lines.filter(({ action }) => action === "blind")).toHaveLength(1);
  },
  SLOW,
);
