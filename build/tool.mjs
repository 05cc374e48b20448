// npm run check, npm run fmt: "node build/tool.mjs ARGS" is bun ARGS, after npm ci where that is needed.

import { withLock } from "./lock.mjs";
import { installNpmPackages, npmPackagesCurrent } from "./npm.mjs";
import { run } from "./project.mjs";
import { runBun } from "./bun.mjs";

await run(async () => {
  if (!npmPackagesCurrent()) await withLock(installNpmPackages);
  runBun(process.argv.slice(2));
});
