// What bpfink gives up once it watches, and what it refuses to start with.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, end, SLOW } from "../e2e/process.ts";

test(
  "no core dumps, no tracing by others than root, no privileges from executing a file",
  async () => {
    using directory = new TemporaryDirectory();
    await using bp = await Bpfink.start({ watch: [directory.write("f", "0\n")] });
    const main = readFileSync(`/proc/${bp.pid}/task/${bp.pid}/status`, "utf8");
    expect(main).toMatch(/^NoNewPrivs:\t1$/m);
    expect(main).toMatch(/^CapBnd:\t0+$/m);
    // the kernel gives the files in /proc of a process that is not dumpable to root, whoever it runs as
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    expect((await end([...asNobody, "ls", "-l", `/proc/${bp.pid}/fd`])).status).not.toBe(0);
    const maps = readFileSync(`/proc/${bp.pid}/maps`, "utf8");
    expect(maps).toContain("/memfd:libbpf.so"); // no library that others could replace
    expect(maps).not.toMatch(/\/tmp\/.*\.so/);
  },
  SLOW,
);

test.each([
  ["LD_PRELOAD", ""],
  ["BUN_OPTIONS", "--smol"],
  ["BUN_INSPECT", ""],
  ["LD_AUDIT", ""],
])("%s in the environment is refused", async (name, value) => {
  using directory = new TemporaryDirectory();
  const args = ["--watch", "/etc/passwd", "--database", ":memory:"];
  const content = value === "" ? "/nonexistent.so" : value;
  const { status, stdout, stderr } = await bpfink(args, { env: { [name]: content }, cwd: directory.path });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(`${name} in the environment`);
  expect(stderr).toContain(`env -u ${name}`);
});

test("the unit is one that systemd takes", async () => {
  const unit = join(import.meta.dir, "../../build/bpfink.service");
  expect(statSync(unit).size).toBeGreaterThan(0);
  if (!existsSync("/usr/bin/systemd-analyze")) return;
  using directory = new TemporaryDirectory();
  const copy = directory.write("bpfink.service", readFileSync(unit, "utf8").replaceAll("/usr/bin/bpfink", "/bin/true"));
  const { stderr } = await end(["systemd-analyze", "verify", copy]);
  expect(stderr.split("\n").filter((line) => line.includes("bpfink.service"))).toEqual([]);
});
