// What `bun test --reporter=junit` counted.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * The counts of a test run. A run that left no report, executed no test, or ended badly without a failed test (a
 * file that does not load is in no report) counts one failure.
 * @param {string} xml the report; empty: there is none
 * @param {number} status the runner's exit status
 * @returns {Counts}
 */
export function readJunit(xml, status) {
  const head = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  /** @param {string} name */
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const [failures, skipped] = [count("failures") + count("errors"), count("skipped")];
  const passed = count("tests") - failures - skipped;
  const ranBadly = passed + failures === 0 || (status !== 0 && failures === 0);
  return { passed, failed: ranBadly ? 1 : failures, skipped };
}
