// Whether the lines of a technique are exactly the right ones, and how far they are if not.
import { join } from "node:path";
import { applyPatch } from "diff";
import type { Line, ProcessKeys } from "../e2e/line.ts";
import type { Outcome } from "./rounds.ts";
import type { Expected } from "./technique.ts";

/**
 * `right`: exactly the lines that must come, when they must come. `actor`: right but for who did it. `late`: the
 * last state was reported, but not in time or not in so many lines. `unseen`: not a line but of a look at everything.
 */
export type Verdict = "right" | "actor" | "late" | "unseen" | "impossible" | "wrong";

export function verdictOf(outcome: Outcome): Verdict {
  if (outcome.status === IMPOSSIBLE) return "impossible";
  const found = faults(outcome);
  if (found.length === 0) return "right";
  if (outcome.status !== 0) return "wrong";
  const { rounds } = outcome.case.technique;
  if (!outcome.lines.flat().some(({ origin }) => origin === "live")) return "unseen";
  if (faults(outcome, { anyActor: true }).length === 0) return "actor";
  const last = rounds.flat().at(-1);
  const lastLine = outcome.lines.flat().at(-1);
  return last !== undefined &&
    rounds.length > 1 &&
    outcome.lines.flat().length <= rounds.flat().length &&
    lastLine?.action === last.action
    ? "late"
    : "wrong";
}

/** Exit status of the program where there is no such call (techniques.h). */
const IMPOSSIBLE = 77;

/** What is wrong with an outcome, in words; nothing when all is right. */
export function faults(outcome: Outcome, { anyActor = false } = {}): string[] {
  const { technique } = outcome.case;
  if (outcome.status !== 0) return [`the program ended with status ${outcome.status}: ${outcome.stderr}`];
  return technique.rounds.flatMap((expected, round) => {
    const left = [...(outcome.lines[round] ?? [])];
    const wrong = expected.flatMap((each) => {
      const path = join(outcome.directory, each.file ?? technique.watch[0] ?? "");
      const at = left.findIndex(({ file }) => file === path);
      const line = at < 0 ? undefined : left.splice(at, 1)[0];
      if (line === undefined) return [`no line ${each.action} of ${path}`];
      return faultsOfLine(line, each, outcome, anyActor).map((fault) => `${fault} in ${JSON.stringify(line)}`);
    });
    const more = left.map((line) => `one line too many: ${JSON.stringify(line)}`);
    return [...wrong, ...more].map((fault) => (technique.rounds.length > 1 ? `part ${round + 1}: ${fault}` : fault));
  });
}

function faultsOfLine(line: Line, expected: Expected, outcome: Outcome, anyActor: boolean): string[] {
  const { action, previous, keys = {}, user = "root", kernelThread } = expected;
  // who had the file opened for the thread is named beside it, if both were between two looks
  const isOne = line.actors === undefined || kernelThread !== undefined;
  const wrong = Object.entries({
    action: line.action === action,
    origin: line.origin === "live",
    previous: line["previous"] === (previous === undefined ? undefined : join(outcome.directory, previous)),
    ...(anyActor ? {} : { user: line.user === user, actors: isOne }),
    ...Object.fromEntries(Object.keys(keys).map((key) => [key, Bun.deepMatch({ [key]: keys[key] }, line)])),
  })
    .filter(([, isRight]) => !isRight)
    .map(([key]) => `wrong ${key}`);
  return [
    ...wrong,
    ...faultsOfContent(line, expected),
    ...(anyActor ? [] : faultsOfActor(line.process, expected, outcome)),
  ];
}

/** The program, by everything that is said of it; or the kernel's thread that did it instead. */
function faultsOfActor(process: ProcessKeys | undefined, { kernelThread }: Expected, outcome: Outcome): string[] {
  if (process === undefined) return ["no process"];
  if (kernelThread?.test(process.name) && process.executable === "") return [];
  const [executable = "", ...args] = outcome.args;
  const right = { pid: outcome.actor, name: "techniques", executable, args: [executable, ...args] };
  return Bun.deepMatch(right, process) ? [] : [`wrong process, not ${outcome.actor}`];
}

function faultsOfContent(line: Line, { from, to }: Expected): string[] {
  if (from === undefined && to === undefined) return [];
  if (line.consumer === "diff") return faultsOfDiff(line, from ?? "", to ?? "");
  const generic = line["generic"] as { current?: string; next?: string } | undefined;
  const right = { current: from === undefined ? "" : sha256(from), next: to === undefined ? "" : sha256(to) };
  return generic?.current === right.current && generic.next === right.next ? [] : ["wrong digests"];
}

/** The diff must lead from one to the other; what came and went must be the lines of it. */
function faultsOfDiff(line: Line, from: string, to: string): string[] {
  const diff = typeof line["diff"] === "string" ? line["diff"] : "";
  const right = { add: { Content: without(to, from) }, del: { Content: without(from, to) } };
  const isRight = Bun.deepEquals(right, { add: line["add"], del: line["del"] });
  const faults = isRight ? [] : ["wrong add or del"];
  return applyPatch(from, diff) === to ? faults : [...faults, "a diff that does not lead there"];
}

/** Lines of one text that the other has not, or not so many times. */
function without(text: string, other: string): string[] {
  const left = linesOf(other);
  return linesOf(text).filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const linesOf = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");
