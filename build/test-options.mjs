// The arguments of npm test, understood by the set-up (which packages?) and by test/run.ts (which stages?).

import { parseArgs } from "node:util";
import { SetupError } from "./project.mjs";

/** @typedef {"check" | "unit" | "native" | "vm"} Stage */

/** @type {readonly Stage[]} the order in which they run */
export const STAGES = ["check", "unit", "native", "vm"];

/**
 * --quick leaves out the virtual machines; --only STAGE (repeatable) runs nothing else; --vm NAME (repeatable)
 * boots that machine only.
 * @param {string[]} args
 * @returns {{ stages: Stage[], machines: string[] }}
 */
export function parseTestOptions(args) {
  const { values } = parseOrExplain(args);
  const only = values.only ?? [];
  const unknown = only.filter((name) => !STAGES.some((stage) => stage === name));
  if (unknown.length > 0) throw new SetupError(`--only ${unknown[0]}: choose from ${STAGES.join(", ")}`);
  const stages = STAGES.filter((stage) => {
    if (only.length > 0) return only.includes(stage);
    return values.vm === undefined ? !(values.quick && stage === "vm") : stage === "vm";
  });
  return { stages, machines: values.vm ?? [] };
}

/** @param {string[]} args */
function parseOrExplain(args) {
  try {
    return parseArgs({
      args,
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true },
        vm: { type: "string", multiple: true },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ")[0] : error;
    throw new SetupError(`${reason}: npm test takes --quick, --only ${STAGES.join("|")} and --vm NAME`);
  }
}
