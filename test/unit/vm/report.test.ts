import { expect, test } from "bun:test";
import { failedTests, tail } from "../../vm/report.ts";
import { judge } from "../../vm/suite.ts";
import type { VmResult } from "../../vm/vm.ts";

const output = `a.test.ts:
(pass) ok
written by bad
error: expect(received).toBe(expected)
(fail) bad [0.38ms]
written by good
(pass) good

 2 pass
 1 fail
`;

test("only what belongs to failed tests, and the summary", () => {
  expect(failedTests(output)).toBe(`written by bad
error: expect(received).toBe(expected)
(fail) bad [0.38ms]

 2 pass
 1 fail`);
});

test("an error outside of tests is kept", () => {
  const text = "# Unhandled error between tests\nerror: it\n(pass) next\n(pass) last";
  expect(failedTests(text)).toBe("# Unhandled error between tests\nerror: it\n(pass) next");
});

test("tail", () => {
  expect(tail("1\n2\n3\n", 3)).toBe("1\n2\n3");
  expect(tail("1\n2\n3\n", 2)).toBe("…\n2\n3");
});

const ran: VmResult = {
  status: 0,
  stdout: "",
  stderr: output,
  console: "last words",
  dmesg: "",
  splats: [],
  seconds: 12,
  attempts: 2,
};
const report = (tests: number, failures: number): string =>
  `<testsuites name="bun test" tests="${tests}" failures="${failures}" skipped="1" time="1"></testsuites>`;

test("a run that passed has a short log", () => {
  expect(judge(ran, report(5, 0))).toEqual({
    passed: 4,
    failed: 0,
    skipped: 1,
    log: "exit status 0 after 12 s in attempt 2",
  });
});

test("each splat is a failure, and is in the log with the console", () => {
  const { passed, failed, log } = judge({ ...ran, splats: ["BUG: it"] }, report(5, 0));
  expect({ passed, failed }).toEqual({ passed: 4, failed: 1 });
  expect(log).toContain("splat: BUG: it");
  expect(log).toContain("last words");
});

test("no report and no test are a failure", () => {
  expect(judge({ ...ran, status: 1 }, "").failed).toBe(1);
  expect(judge(ran, report(1, 0)).failed).toBe(1);
});
