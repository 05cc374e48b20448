// Every way to change a file ends in exactly the right line: right action, right difference, right actor.
// Each technique once, on file systems taken in turn; test/techniques/matrix.ts tries all of them.
import { beforeAll, describe, expect, test } from "bun:test";
import { release } from "node:os";
import { faults, verdictOf } from "../techniques/judge.ts";
import { fileSystemsHere } from "../techniques/places.ts";
import { type Run, runTechniques } from "../techniques/rounds.ts";
import { limitOf } from "../techniques/technique.ts";
import { type Case, casesInTurn } from "../techniques/table.ts";
import type { Line } from "./line.ts";
import { CAN_LOSE, inVm, KERNEL, SLOW } from "./process.ts";

const KERNELS = ["5.10", "6.1", "6.12", "sid"];
const backends = inVm ? ["ebpf/fentry", "ebpf/kprobe"] : ["auto"];

describe.each(backends)("techniques, %s", (backend) => {
  const turn = KERNELS.indexOf(KERNEL ?? "") + backends.indexOf(backend);
  const cases = casesInTurn(release(), fileSystemsHere, turn + 1);
  let run: Run;
  const gaps = () => (CAN_LOSE ? run.strays.filter(({ action }) => action === "gap") : []);
  /** Whether it is of a time whose events are said to be lost, or found by the look after that, or names nobody since then. */
  const isOfGap = ({ time, origin, process }: Line): boolean =>
    gaps().some(
      ({ since, until }) =>
        String(since) <= time && (time <= String(until) || origin === "gap" || process === undefined),
    );

  beforeAll(async () => {
    run = await runTechniques(cases, backend);
  }, 4 * SLOW);

  test.each(cases.map(({ technique, fileSystem }, index) => ({ name: technique.name, fileSystem, index })))(
    "$name on $fileSystem",
    ({ index }) => {
      const outcome = run.outcomes[index]!;
      if (outcome.lines.flat().some(isOfGap)) return;
      const allowed = limitOf(run.backend, outcome.case.technique, outcome.case.fileSystem)?.verdicts;
      if (allowed === undefined) expect(faults(outcome)).toEqual([]);
      else expect(allowed).toContain(verdictOf(outcome));
    },
  );

  test("no other line", () => {
    expect(run.strays).toEqual(gaps());
  });
});
