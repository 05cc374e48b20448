// Files that take long to read hold nothing up.
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { expect, test } from "bun:test";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { PATIENCE, run, SLOW } from "../e2e/process.ts";

const GIB = 2 ** 30;

/** A few bytes somewhere in a file, as a program that keeps it open writes them. */
function poke(path: string, at: number, text: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, text, at);
  closeSync(fd);
}

const digestOf = async (path: string) => (await run("sha256sum", path)).stdout.slice(0, 64);

test(
  "a file of 2 GiB of NULs is read between the events of others; one that changes meanwhile is read again",
  async () => {
    using directory = new TemporaryDirectory();
    const large = directory.write("large");
    const small = directory.write("small", "one\n");
    const medium = directory.write("medium", new Uint8Array(5 << 20));
    await using bp = await Bpfink.start({ watch: [large, small, medium] });

    truncateSync(large, 2 * GIB + 1);
    for (const text of ["two\n", "three\n", "four\n"]) {
      writeFileSync(small, text);
      expect(await bp.nextChange(small)).toMatchObject({ add: { Content: [text.trim()] } });
    }
    poke(medium, 2 << 20, "x");
    expect(await bp.nextChange(medium)).toMatchObject({
      action: "modified",
      consumer: "generic",
      generic: { next: await digestOf(medium), size: 5 << 20, content: "too long" },
      process: { pid: process.pid },
    });
    expect(bp.lines.filter(({ file }) => file === large)).toEqual([]); // the others did not wait for it
    poke(large, 5, "x");
    const line = await bp.line({ file: large }, { timeout: SLOW });
    expect(line).toMatchObject({
      action: "modified",
      origin: "live",
      generic: { next: await digestOf(large), size: { from: 0, to: 2 * GIB + 1 } },
      process: { pid: process.pid },
    });
    await bp.noMoreLines();
  },
  3 * SLOW,
);

test(
  "asked to stop while it reads a file of 8 TiB, it stops soon, and says nothing of it",
  async () => {
    using directory = new TemporaryDirectory();
    const huge = directory.write("huge");
    const small = directory.write("small", "one\n");
    await using bp = await Bpfink.start({ watch: [huge, small] });
    truncateSync(huge, 8192 * GIB);
    writeFileSync(small, "two\n");
    await bp.nextChange(small);
    const start = performance.now();
    const { status } = await bp.stop("SIGTERM");
    expect({ status, soon: performance.now() - start < PATIENCE }).toEqual({ status: 0, soon: true });
    expect(bp.lines.filter(({ file }) => file === huge)).toEqual([]);
  },
  SLOW,
);

test(
  "files of 2 GiB that go before they are read to the end: their coming and their going, by whom, and no digest",
  async () => {
    using directory = new TemporaryDirectory();
    const members = directory.directory("members");
    const [named, shadow, moved] = [directory.at("named"), directory.at("shadow"), directory.at("moved")];
    const known = directory.write("known", "one\n");
    await using bp = await Bpfink.start({ watch: [members, named, shadow, known, `${moved}*`] });
    /** Begun to be read for certain, and not read for certain. */
    const SEEN = 250;
    const note = "it went before it was read to its end: there is no digest";

    for (const file of [`${members}/new`, named, shadow]) {
      await run("truncate", "-s", "2G", file);
      await Bun.sleep(SEEN);
      await run("rm", file);
      const [created, deleted, ...more] = await bp.rest();
      expect(created).toMatchObject({
        file,
        action: "created",
        origin: "live",
        processName: "truncate",
        notes: [note],
      });
      expect(deleted).toMatchObject({ file, action: "deleted", origin: "live", processName: "rm" });
      expect(more).toEqual([]);
      if (file === shadow) expect(created).toMatchObject({ consumer: "users", users: [] });
      else {
        expect(created?.["generic"]).toMatchObject({ current: "", next: "", size: 2 * GIB, type: "file" });
        expect(deleted?.["generic"]).toMatchObject({ current: "", next: "", size: 2 * GIB, type: "file" });
      }
    }

    await run("truncate", "-s", "2G", known);
    await Bun.sleep(SEEN);
    await run("rm", known);
    expect(await bp.only(known)).toMatchObject({ action: "deleted", del: { Content: ["one"] } });

    // what moves on to another watched path is read there
    await run("truncate", "-s", "300M", moved);
    await Bun.sleep(50);
    await run("mv", moved, `${moved}.away`);
    const line = await bp.line({ file: `${moved}.away` }, { timeout: SLOW });
    expect(line).toMatchObject({
      action: "created",
      generic: { size: 300 << 20, next: expect.stringMatching(/^.{64}$/) },
    });
    await bp.noMoreLines();
  },
  2 * SLOW,
);

test(
  "one change in a text of 100,000 lines is a diff",
  async () => {
    using directory = new TemporaryDirectory();
    const lines = Array.from({ length: 100_000 }, (_, i) => `option_${i} = value ${i} of many\n`);
    const file = directory.write("long.conf", lines.join(""));
    await using bp = await Bpfink.start({ watch: [file] });
    expect(await bp.rest()).toEqual([]); // what is long is read when all is watched
    writeFileSync(file, lines.with(50_000, "changed\n").join(""));
    expect(await bp.nextChange(file)).toMatchObject({
      ...{ action: "modified", consumer: "diff" },
      add: { Content: ["changed"] },
      del: { Content: ["option_50000 = value 50000 of many"] },
    });
    await bp.noMoreLines();
  },
  SLOW,
);
