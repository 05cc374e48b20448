// Trees that grow under several processes at once, and go again: nothing in them is missed, nothing of them is left.
import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { inVm, run, SLOW } from "./process.ts";
import { settlesAt, watched } from "./watched.ts";

const PROCESSES = 4;
/** Directories in directories, each with a file, that each process makes; a thousand in all where that is quick. */
const EACH = inVm ? 10 : 250;

test(
  "mkdir a/b && echo x > a/b/f, by several processes: every file is created, then deleted, and no longer watched",
  async () => {
    using directory = new TemporaryDirectory();
    const tree = directory.directory("tree");
    await using bp = await Bpfink.start({ watch: [tree] });
    const before = watched(bp.pid);
    const script = 'for i in $(seq "$2"); do mkdir "$1-$i" && mkdir "$1-$i/b" && echo x > "$1-$i/b/f"; done';
    const names = Array.from({ length: PROCESSES }, (_, i) => `${tree}/${i}`);
    await Promise.all(names.map((name) => run("sh", "-c", script, "sh", name, String(EACH))));
    const files = names.flatMap((name) => Array.from({ length: EACH }, (_, i) => `${name}-${i + 1}/b/f`));
    for (const file of files) await bp.line({ file, action: "created" }, { timeout: 60_000 });
    await bp.rest();
    for (const name of readdirSync(tree)) rmSync(`${tree}/${name}`, { recursive: true });
    for (const file of files) await bp.line({ file, action: "deleted" }, { timeout: 60_000 });
    await bp.rest();
    expect(readdirSync(tree)).toEqual([]);
    expect(await settlesAt(bp.pid, before)).toBe(before);
  },
  5 * SLOW,
);
