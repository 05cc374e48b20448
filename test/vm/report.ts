/**
 * What `bun test` printed about the tests that failed, without the rest.
 *
 * bun prints what a test wrote, then its error, then the line `(pass) name` or `(fail) name`. Errors outside of tests
 * and the summary belong to no test and are kept.
 */
export function failedTests(output: string): string {
  const kept: string[] = [];
  let block: string[] = [];
  for (const line of output.split("\n")) {
    block.push(line);
    const verdict = /^\((pass|fail|skip|todo)\) /.exec(line)?.[1];
    if (verdict === undefined) continue;
    if (verdict === "fail" || block.some((text) => text.startsWith("# Unhandled error"))) kept.push(...block);
    block = [];
  }
  return [...kept, ...block].join("\n").trim();
}

/** The last lines of a log, and that there was more. */
export function tail(text: string, lines: number): string {
  const all = text.trimEnd().split("\n");
  return all.length <= lines ? all.join("\n") : ["…", ...all.slice(-lines)].join("\n");
}
