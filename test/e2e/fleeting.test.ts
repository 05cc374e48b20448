// A thousand processes that are gone before anybody can look at them, each with arguments of its own.
import { expect, test } from "bun:test";
import { fleeting } from "../programs/build.ts";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { CAN_LOSE, FORMS, inVm, KERNEL, PATIENCE } from "./process.ts";

/** In virtual machines a thousand of them take a minute in each form: once, on a kernel that loses none. */
const PROCESSES = Number(process.env["BPFINK_PROCESSES"] ?? (!inVm || KERNEL === "6.12" ? 1000 : 100));
/** Started at once: few enough that their events fit the ring while an emulated bpfink falls behind. */
const BATCH = 50;

test.each(FORMS)(
  "%s knows program, arguments, parent and its parent of each",
  async (backend) => {
    using directory = new TemporaryDirectory();
    const files = directory.directory("files");
    await using bp = await Bpfink.start({ watch: [files], args: ["--backend", backend] });
    const program = fleeting();
    const starter = Bun.spawn([program, files], { stdin: "pipe", stdout: "pipe" });
    const answers = starter.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const me = { pid: process.pid, name: expect.any(String), executable: process.execPath };
    let known = 0;
    for (let from = 0; from < PROCESSES; from += BATCH) {
      starter.stdin.write(`${from} ${from + BATCH}\n`);
      await starter.stdin.flush();
      expect((await answers.read()).value).toBe("done\n");
      for (let number = from; number < from + BATCH; number++) {
        const file = `${files}/${number}`;
        const line = await bp.line({ file });
        if (CAN_LOSE && line.origin === "gap") continue;
        known++;
        expect(line).toMatchObject({
          action: "created",
          process: {
            ppid: starter.pid,
            name: "fleeting",
            executable: program,
            args: [program, "write", file, `token-${number}`],
          },
        });
        const [parent, grandparent] = line.process?.ancestors ?? [];
        expect(parent).toEqual({ pid: starter.pid, name: "fleeting", executable: program });
        expect(grandparent).toEqual(me);
      }
    }
    expect(known).toBeGreaterThan(PROCESSES / 2);
    await starter.stdin.end();
    expect(await starter.exited).toBe(0);
  },
  (inVm ? PROCESSES / 100 : 1) * 6 * PATIENCE,
);
