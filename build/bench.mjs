// npm run bench: sets up what is missing, then hands over to test/bench/cost/run.ts.

import { runBun } from "./bun.mjs";
import { requireRoot, run } from "./project.mjs";
import { setUp } from "./setup.mjs";

requireRoot("npm run bench");
await run(async () => {
  await setUp(["build", "test", "vm"]);
  runBun(["test/bench/cost/run.ts", ...process.argv.slice(2)]);
});
