// Who stops bpfink: the sender of a signal, gone before anybody could look at it.
import { expect, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { BPFINK, end, inVm, run, SLOW } from "./process.ts";

const which = (command: string): string => realpathSync(Bun.which(command) ?? command);

/** One is as good as another to the kernel, and a start takes an emulated machine long. */
const SIGNALS: readonly NodeJS.Signals[] = inVm ? ["SIGTERM"] : ["SIGTERM", "SIGINT", "SIGQUIT"];

test.each(SIGNALS)(
  "the sender of %s",
  async (signal) => {
    await using bp = await Bpfink.start({});
    const command = ["bash", "-c", `kill -s ${signal} ${bp.pid}; exit`];
    const { pid } = await run(...command);
    const line = await bp.line({ action: "stopped" });
    expect(line).toMatchObject({
      signal,
      process: { pid, ppid: process.pid, name: "bash", executable: which("bash"), args: command },
      processName: "bash",
      user: "root",
    });
    expect(line.process?.ancestors[0]).toMatchObject({ pid: process.pid });
    expect((await bp.ended()).status).toBe(0);
  },
  SLOW,
);

test(
  "who else sends one changes nothing: it is the first that stops it",
  async () => {
    await using bp = await Bpfink.start({});
    await run("bash", "-c", `kill -s CONT ${bp.pid}; kill -s URG ${bp.pid}`);
    const other = await run("setpriv", "--reuid=65534", "--clear-groups", "bash", "-c", `kill ${bp.pid} || true`);
    expect(other.stderr).toMatch(/not permitted/); // the kernel asks before it sends
    await bp.noMoreLines();
    const { pid } = await run("bash", "-c", `kill ${bp.pid}; bash -c "kill ${bp.pid}" || true`);
    expect(await bp.line({ action: "stopped" })).toMatchObject({ signal: "SIGTERM", process: { pid } });
  },
  SLOW,
);

test.skipIf(inVm)(
  "each reload names its own, and the end another",
  async () => {
    await using bp = await Bpfink.start({});
    for (let i = 0; i < 2; i++) {
      const { pid } = await run("bash", "-c", `kill -s HUP ${bp.pid}; exit`);
      expect(await bp.line({ action: "reloaded" })).toMatchObject({ signal: "SIGHUP", process: { pid } });
    }
    bp.kill("SIGTERM");
    expect(await bp.line({ action: "stopped" })).toMatchObject({ signal: "SIGTERM", process: { pid: process.pid } });
  },
  SLOW,
);

test(
  "the terminal that sends SIGINT is nobody: the kernel does",
  async () => {
    using directory = new TemporaryDirectory();
    const out = directory.write("out");
    // script(1) gives it a terminal of its own, and types ^C there when it has started
    const command = `exec ${BPFINK} --json --database :memory: --watch ${directory.write("file")} > ${out}`;
    const typed = `until grep -q started ${out}; do sleep 0.1; done; printf '\\003'`;
    const { stdout } = await end([
      "bash",
      "-c",
      `(${typed}) | script -qec '${command.replaceAll("'", "'\\''")}' /dev/null`,
    ]);
    const line = readFileSync(out, "utf8")
      .split("\n")
      .find((text) => text.includes('"stopped"'));
    expect(JSON.parse(line ?? `"${stdout}"`)).toMatchObject({ signal: "SIGINT", sender: "kernel" });
    expect(line).not.toContain("processName");
  },
  SLOW,
);

test(
  "in a PID namespace of its own, by the id that the host knows",
  async () => {
    await using bp = await Bpfink.start({ wrapper: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] });
    const children = readFileSync(`/proc/${bp.pid}/task/${bp.pid}/children`, "utf8");
    const { pid } = await run("bash", "-c", `kill ${children.trim()}; exit`);
    expect(await bp.line({ action: "stopped" })).toMatchObject({ signal: "SIGTERM", process: { pid } });
  },
  SLOW,
);
