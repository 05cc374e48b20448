// Every way to change a file ends in exactly the right line: right action, right difference, right actor.
// Each technique once, on file systems taken in turn; test/techniques/matrix.ts tries all of them.
import { beforeAll, describe, expect, test } from "bun:test";
import { release } from "node:os";
import { faults, verdictOf } from "../techniques/judge.ts";
import { fileSystemsHere } from "../techniques/places.ts";
import { type Run, runTechniques } from "../techniques/rounds.ts";
import { limitOf } from "../techniques/technique.ts";
import { casesInTurn } from "../techniques/table.ts";
import { inVm, SLOW } from "./process.ts";

const KERNELS = ["5.10", "6.1", "6.12", "sid"];
const backends = inVm ? ["ebpf/fentry"] : ["auto"];

/** What no part of bpfink does yet; to be emptied. */
const PENDING =
  /xattr|^acl|^capabilities|chattr|setattr|^bind-over|^tmpfs-over|^mo.*-mo.*-over|^umount$|^rename-watched|^mmap|^proc|^ptrace|^loop|userfaultfd|^overlay-(upper|lower)/;
/** On xfs and ext4 inode numbers are used again at once; who made the next file is blamed as well. */
const REUSED =
  /^(rmdir|unlink|unlink-and-create|unlink-and-link|uring-unlink|rename-over|uring-rename|ext4-swap-boot)$/;

describe.each(backends)("techniques, %s", (backend) => {
  const turn = KERNELS.indexOf(process.env["BPFINK_KERNEL"] ?? "") + backends.indexOf(backend);
  const cases = casesInTurn(release(), fileSystemsHere, turn + 1).filter(
    ({ technique: { name } }) => !PENDING.test(name) && !REUSED.test(name),
  );
  let run: Run;

  beforeAll(async () => {
    run = await runTechniques(cases, backend);
  }, 4 * SLOW);

  test.each(cases.map(({ technique, fileSystem }, index) => ({ name: technique.name, fileSystem, index })))(
    "$name on $fileSystem",
    ({ index }) => {
      const outcome = run.outcomes[index]!;
      const allowed = limitOf(run.backend, outcome.case.technique)?.verdicts;
      if (allowed === undefined) expect(faults(outcome)).toEqual([]);
      else expect(allowed).toContain(verdictOf(outcome));
    },
  );

  test("no other line", () => {
    expect(run.strays).toEqual([]);
  });
});
