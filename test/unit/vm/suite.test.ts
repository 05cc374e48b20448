import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../vm/layout.ts";
import { filterOf, plan } from "../../vm/suite.ts";

test("every file of end to end tests is in the plan, and on a kernel", () => {
  const there = readdirSync(join(repository, "test/e2e")).filter((name) => name.endsWith(".test.ts"));
  const planned = Object.keys(plan).filter((name) => plan[name]!.length > 0);
  expect(planned.map((name) => `${name}.test.ts`).toSorted()).toEqual(there.toSorted());
  // `bun test` says nothing of a filter that finds no file as long as others do
  for (const name of planned)
    expect(there.filter((file) => `test/e2e/${file}`.includes(filterOf(name)))).toEqual([`${name}.test.ts`]);
});
