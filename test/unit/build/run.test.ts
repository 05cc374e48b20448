import { describe, expect, test } from "bun:test";
import { readJunit } from "../../../build/junit.mjs";
import { parseTestOptions } from "../../../build/test-options.mjs";

describe("counts of a test run", () => {
  const report = (tests: number, failures: number, skipped: number) =>
    `<?xml version="1.0"?>\n<testsuites name="bun test" tests="${tests}" failures="${failures}" skipped="${skipped}">\n` +
    `<testsuite name="a" tests="99" failures="99" skipped="99">`;

  test("come from the report's head", () => {
    expect(readJunit(report(5, 0, 2), 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
    expect(readJunit(report(5, 1, 2), 1)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test("are a failure if nothing ran", () => {
    expect(readJunit("", 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(readJunit(report(0, 0, 0), 0).failed).toBe(1);
    expect(readJunit(report(2, 0, 2), 0)).toEqual({ passed: 0, failed: 1, skipped: 2 });
  });

  test("hold a failure if the runner ended badly", () => {
    expect(readJunit(report(5, 0, 0), 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
    expect(readJunit("", 139).failed).toBe(1);
  });
});

describe("arguments of npm test", () => {
  test("choose stages, always in the same order", () => {
    expect(parseTestOptions([]).stages).toEqual(["check", "unit", "native", "vm"]);
    expect(parseTestOptions(["--quick"]).stages).toEqual(["check", "unit", "native"]);
    expect(parseTestOptions(["--only", "native", "--only=unit"]).stages).toEqual(["unit", "native"]);
    expect(parseTestOptions(["--vm", "5.10"])).toEqual({ stages: ["vm"], machines: ["5.10"] });
  });

  test("are refused if they mean nothing", () => {
    expect(() => parseTestOptions(["--only", "e2e"])).toThrow("--only e2e: choose from check, unit, native, vm");
    expect(() => parseTestOptions(["--fast"])).toThrow("npm test takes --quick, --only");
    expect(() => parseTestOptions(["unit"])).toThrow("npm test takes --quick, --only");
  });
});
