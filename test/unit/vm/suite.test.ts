import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../vm/layout.ts";
import { everywhere } from "../../vm/suite.ts";

// `bun test` says nothing of a file that is not there as long as there are others.
test.each(everywhere.map((file) => ({ file })))("$file, which runs on every kernel, is there", ({ file }) => {
  expect(existsSync(join(repository, file))).toBe(true);
});
