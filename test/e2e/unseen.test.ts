// What changes a file without any hook's seeing it: techniques that no backend tells of.
import { describe, expect, test } from "bun:test";
import { release } from "node:os";
import { fileSystemsHere } from "../techniques/places.ts";
import { runTechniques } from "../techniques/rounds.ts";
import { allCases } from "../techniques/table.ts";
import { limitOf } from "../techniques/technique.ts";
import { inVm, SLOW } from "./process.ts";

describe.if(inVm)("what no hook sees", () => {
  test(
    "is found by the periodic look at everything",
    async () => {
      const cases = allCases(release(), fileSystemsHere).filter(
        ({ technique, fileSystem }) => limitOf("", technique, fileSystem) !== undefined,
      );
      expect(cases.map(({ fileSystem }) => fileSystem)).toEqual(["ext4", "xfs"]);
      const { outcomes } = await runTechniques(cases, "auto", { args: ["--rescan", "1s"], despiteLimits: true });
      for (const { lines, directory } of outcomes)
        expect(lines.flat()).toEqual([
          expect.objectContaining({ action: "modified", origin: "rescan", file: `${directory}/f` }),
        ]);
    },
    2 * SLOW,
  );
});
