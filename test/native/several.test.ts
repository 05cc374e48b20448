// Several processes, one after the other: whoever wrote what a line tells is named in it.
import { appendFileSync } from "node:fs";
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { run, SLOW } from "../e2e/process.ts";

test(
  "two writers within a few milliseconds: each line names those that wrote its lines, the last one last",
  async () => {
    using directory = new TemporaryDirectory();
    const file = directory.write("file", "one\n");
    await using bp = await Bpfink.start({ watch: [file] });
    let both = 0;
    for (let round = 0; round < 40; round++) {
      await run("sh", "-c", 'sh -c "echo sh >> $1"; echo tee | tee -a "$1"', "sh", file);
      for (const { add, process, actors = [] } of await bp.rest()) {
        const { Content: written } = add as unknown as { readonly Content: readonly string[] };
        const named = actors.length === 0 ? [process?.name] : actors.map((actor) => actor.process.name);
        expect({ round, named, last: process?.name }).toEqual({ round, named: [...written], last: written.at(-1) });
        if (written.length === 2) both++;
      }
    }
    expect(both).toBeGreaterThan(0);
    appendFileSync(file, "bun\n");
    expect(await bp.only(file)).toMatchObject({ add: { Content: ["bun"] }, process: { pid: process.pid } });
  },
  2 * SLOW,
);
