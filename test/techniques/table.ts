// All techniques, in the order of docs/coverage.md.
import { inVm } from "../e2e/process.ts";
import { contents } from "./contents.ts";
import { mounts, unseen } from "./mounts.ts";
import { attributeTechniques, names } from "./names.ts";
import { type FileSystem, isPossible, type Technique } from "./technique.ts";

export const TECHNIQUES: readonly Technique[] = [...contents, ...names, ...attributeTechniques, ...mounts, ...unseen];

/** Those that do no harm here. */
const harmless = inVm ? TECHNIQUES : TECHNIQUES.filter(({ inVmOnly }) => inVmOnly !== true);

/** A technique on a file system. */
export interface Case {
  readonly technique: Technique;
  readonly fileSystem: FileSystem;
}

/** Everything that is possible. @param kernel its release */
export function allCases(kernel: string, fileSystems: readonly FileSystem[]): Case[] {
  return fileSystems.flatMap((fileSystem) =>
    harmless
      .filter((technique) => isPossible(technique, fileSystem, kernel))
      .map((technique) => ({
        technique,
        fileSystem,
      })),
  );
}

/**
 * Each technique once, on file systems taken in turn; `turn` is where to begin, so that other kernels and
 * attach forms take others.
 */
export function casesInTurn(kernel: string, fileSystems: readonly FileSystem[], turn: number): Case[] {
  return harmless.flatMap((technique, index) => {
    const order = fileSystems.map((_, i) => fileSystems[(index + turn + i) % fileSystems.length]!);
    const fileSystem = order.find((name) => isPossible(technique, name, kernel));
    return fileSystem === undefined ? [] : [{ technique, fileSystem }];
  });
}
