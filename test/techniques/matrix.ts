// Tries every technique on every file system with one backend, and writes what came of it:
//
//     bun test/techniques/matrix.ts BACKEND RESULT.json [NAME]...
//
// coverage.ts runs it on this machine and in the virtual machines, and makes docs/coverage.md.
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { faults, type Verdict, verdictOf } from "./judge.ts";
import { fileSystemsHere } from "./places.ts";
import { runTechniques } from "./rounds.ts";
import { allCases } from "./table.ts";
import type { FileSystem } from "./technique.ts";

/** How long lines are waited for that do not come, in milliseconds. */
const PATIENCE = 20_000;
/** All techniques at once are more than a ring holds while an emulated machine looks their files up. */
const ROOM = ["--ring-size", "16M"];

export interface Result {
  readonly kernel: string;
  readonly backend: string;
  /** When it was tried, as "2026-11-23". */
  readonly date: string;
  readonly verdicts: readonly { readonly name: string; readonly fileSystem: FileSystem; readonly verdict: Verdict }[];
}

if (import.meta.main) {
  const [backend = "auto", file = "/dev/null", ...names] = process.argv.slice(2);
  const all = allCases(release(), fileSystemsHere);
  const cases = names.length === 0 ? all : all.filter(({ technique }) => names.includes(technique.name));
  const started = performance.now();
  const { backend: taken, outcomes, strays } = await runTechniques(cases, backend, { patience: PATIENCE, args: ROOM });
  const verdicts = outcomes.map((outcome) => ({
    name: outcome.case.technique.name,
    fileSystem: outcome.case.fileSystem,
    verdict: verdictOf(outcome),
  }));
  for (const [i, { name, fileSystem, verdict }] of verdicts.entries()) {
    if (verdict === "right") continue;
    const found = faults(outcomes[i]!).map(
      (fault) => `    ${fault.replace(/"host".*?"action"/, '"action"').slice(0, 700)}`,
    );
    console.log(`${verdict}: ${name} on ${fileSystem}\n${found.join("\n")}`);
  }
  for (const line of strays) console.log(`stray: ${JSON.stringify(line).slice(0, 300)}`);
  console.log(`${cases.length} cases in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const result: Result = {
    kernel: release(),
    backend: taken,
    date: new Date().toISOString().slice(0, 10),
    verdicts,
  };
  writeFileSync(file, JSON.stringify(result));
}
