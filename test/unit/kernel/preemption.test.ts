import { expect, test } from "bun:test";
import { type PreemptionFacts, preemptionOf, readPreemption } from "../../../src/kernel/preemption.ts";

const nothing: PreemptionFacts = { version: "", debugfs: undefined, commandLine: undefined, config: undefined };
const dynamic = "#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1";

const cases: readonly (readonly [name: string, facts: Partial<PreemptionFacts>, losesEvents: boolean, said: RegExp])[] =
  [
    ["Debian 5.10, voluntary", { version: "#1 SMP Debian 5.10.223-1" }, false, /not preemptible/],
    ["built for full preemption", { version: "#1 SMP PREEMPT Mon Nov 2" }, true, /\(PREEMPT\)/],
    ["real time", { version: "#1 SMP PREEMPT_RT Debian" }, true, /PREEMPT_RT/],
    ["dynamic, voluntary", { version: dynamic, debugfs: "none (voluntary) full \n" }, false, /not .*preempt=voluntary/],
    ["dynamic, none", { version: dynamic, debugfs: "(none) voluntary full \n" }, false, /preempt=none/],
    ["dynamic, lazy", { version: dynamic, debugfs: "full (lazy) \n" }, true, /preempt=lazy/],
    [
      "debugfs knows best",
      { version: dynamic, debugfs: "none voluntary (full)", commandLine: "preempt=none" },
      true,
      /full/,
    ],
    [
      "asked for, the last one counts",
      { version: dynamic, commandLine: "preempt=none quiet preempt=full" },
      true,
      /full/,
    ],
    [
      "a word that ends alike",
      { version: dynamic, commandLine: "xpreempt=none", config: "CONFIG_PREEMPT=y" },
      true,
      /full/,
    ],
    [
      "asked for what there is not",
      { version: dynamic, commandLine: "preempt=much", config: "CONFIG_PREEMPT_NONE=y" },
      false,
      /none/,
    ],
    ["configured voluntary", { version: dynamic, config: "X=y\nCONFIG_PREEMPT_VOLUNTARY=y\n" }, false, /voluntary/],
    ["configured lazy", { version: dynamic, config: "CONFIG_PREEMPT_LAZY=y" }, true, /lazy/],
    ["configured full", { version: dynamic, config: "CONFIG_PREEMPT_BUILD=y\nCONFIG_PREEMPT=y" }, true, /full/],
    [
      "built for dynamic, nothing else known",
      { version: dynamic, config: "CONFIG_PREEMPT_DYNAMIC=y" },
      true,
      /does not tell/,
    ],
  ];

test.each(cases)("%s", (_, facts, losesEvents, said) => {
  const preemption = preemptionOf({ ...nothing, ...facts });
  expect(preemption.losesEvents).toBe(losesEvents);
  expect(preemption.reason).toMatch(said);
});

test("this kernel", () => {
  expect(readPreemption().reason).toMatch(/preemptible/);
});
