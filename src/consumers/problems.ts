import type { Problem } from "./parse/lines.ts";

/** As many as somebody will read; a binary file under the name of passwd has thousands. */
const PROBLEMS_KEPT = 20;

/** What a state keeps of the problems of its file. */
export type KeptProblems = {
  /** The first of them. */
  readonly problems: readonly Problem[];
  /** How many more there are. */
  readonly moreProblems?: number;
};

export function firstProblems(problems: readonly Problem[]): KeptProblems {
  const more = problems.length - PROBLEMS_KEPT;
  return { problems: problems.slice(0, PROBLEMS_KEPT), ...(more > 0 ? { moreProblems: more } : {}) };
}

/** `line 7: reason` of each problem that was not there before. */
export function newProblems(before: KeptProblems, after: KeptProblems): string[] {
  const known = new Set(before.problems.map(textOf));
  return after.problems.map(textOf).filter((problem) => !known.has(problem));
}

function textOf({ line, reason }: Problem): string {
  return `line ${line}: ${reason}`;
}
