// npm run build [-- --force]: dist, made anew where it is stale, or in any case.

import { rmSync } from "node:fs";
import { DIST, requireRoot, run } from "./project.mjs";
import { setUp } from "./setup.mjs";

requireRoot("npm run build");
await run(async () => {
  if (process.argv.includes("--force")) rmSync(`${DIST}/.stamps.json`, { force: true });
  await setUp(["build"]);
});
