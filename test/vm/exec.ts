/**
 * Runs a program to its end and returns its stdout.
 * @throws Error with the command line and its stderr when it exits with another status than 0.
 */
export async function exec(command: string[], options: { cwd?: string } = {}): Promise<string> {
  const child = Bun.spawn(command, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (status !== 0) {
    throw new Error(`${command.join(" ")}: exit status ${status}\n${stderr.trim().slice(-2000)}`);
  }
  return stdout;
}
