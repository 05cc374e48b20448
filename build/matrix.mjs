// npm run test:matrix: sets up what is missing, then hands over to test/techniques/coverage.ts.

import { runBun } from "./bun.mjs";
import { requireRoot, run } from "./project.mjs";
import { setUp } from "./setup.mjs";

requireRoot("npm run test:matrix");
await run(async () => {
  await setUp(["build", "test", "vm"]);
  runBun(["test/techniques/coverage.ts", ...process.argv.slice(2)]);
});
