// BPF programs that are detached from outside: who may trace bpfink has it close the links, of which it is told nothing.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { SLOW } from "./process.ts";
import { closeIn, fdsOf } from "./threads.ts";

/** Links, and what kprobes have instead before Linux 5.15. */
const LINKS = /^anon_inode:(bpf_link|bpf-link|\[perf_event\])/;

test(
  "links that are closed are a blind line, and made again: what was changed meanwhile is found, what comes is seen",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("f", "0\n");
    await using bp = await Bpfink.start({ watch: [file], args: ["--canary", "2"] });
    const isEbpf = String(bp.lines[0]?.["backend"]).startsWith("ebpf/");
    const links = fdsOf(bp.pid, LINKS);
    expect(links.length).toBeGreaterThan(isEbpf ? 20 : 3);
    closeIn(bp.pid, links);
    writeFileSync(file, "1\n");
    const told = async (): Promise<string> => (await bp.line({ action: "blind" })).message;
    const blind = [await told()];
    // it was held while it went through them: it finds the first ones a second later
    if (isEbpf && !blind[0]!.includes("(instantiate, ")) blind.push(await told());
    for (const name of isEbpf ? ["(instantiate, ", "write, ", "fput, "] : []) expect(blind.join()).toContain(name);
    expect(blind[0]).toMatch(/^changes are not seen: BPF programs were detached from outside \(.*signal_generate\)$/);
    expect(await bp.nextChange(file)).toMatchObject({ origin: isEbpf ? "gap" : "live", add: { Content: ["1"] } });
    await bp.stderr(/attached again/);
    for (const message of blind)
      await bp.line({ action: "seeing", message: message.replace("changes are not seen", "over") });
    await bp.rest();
    expect(fdsOf(bp.pid, LINKS)).toHaveLength(links.length);
    writeFileSync(file, "2\n");
    expect(await bp.nextChange(file)).toMatchObject({
      origin: "live",
      add: { Content: ["2"] },
      process: { pid: process.pid },
    });
    await bp.noMoreLines();
    bp.kill("SIGTERM");
    expect(await bp.line({ action: "stopped" })).toMatchObject({ process: { pid: process.pid } });
    expect((await bp.ended()).status).toBe(0);
  },
  SLOW,
);

test(
  "programs whose descriptors are closed are the end, with a line that tells of it",
  async () => {
    await using bp = await Bpfink.start({});
    closeIn(bp.pid, fdsOf(bp.pid, /^anon_inode:bpf-prog$/));
    await bp.line({ action: "stopped" });
    const { status, stderr } = await bp.ended();
    expect(status).toBe(3);
    expect(stderr).toMatch(/^bpfink: error: the event source failed: /m);
  },
  SLOW,
);
