// npm test [-- --quick | --only STAGE | --vm NAME]: sets up what is missing, then hands over to test/run.ts.

import { requireRoot, run } from "./project.mjs";
import { setUp } from "./setup.mjs";
import { parseTestOptions } from "./test-options.mjs";
import { runBun } from "./bun.mjs";

requireRoot("npm test");
await run(async () => {
  const args = process.argv.slice(2);
  const { stages } = parseTestOptions(args);
  await setUp(stages.includes("vm") ? ["build", "test", "vm"] : ["build", "test"]);
  runBun(["test/run.ts", ...args]);
});
