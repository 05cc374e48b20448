// Changes that somebody announced, or that a package manager made, are labelled.
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, run, SLOW } from "../e2e/process.ts";

test(
  "bpfink expect: lines say what was announced, only where and as long as it was",
  async () => {
    using directory = new TemporaryDirectory();
    const database = directory.at("state/x.db");
    const [app, other] = [directory.write("app/f", "0\n"), directory.write("other", "0\n")];
    const watch = [app, other];
    const announce = (...args: string[]) => bpfink(["expect", "--database", database, ...args]);
    expect((await announce("--for", "10m", "--reason", "x")).status).toBe(4); // no database yet
    await using first = await Bpfink.start({ watch, database });

    expect((await announce("--for", "10m", "--reason", "deploy 42", directory.at("app"))).status).toBe(0);
    writeFileSync(app, "1\n");
    const told = await first.line({ action: "expected" });
    const { until } = told["expected"] as { until: string };
    const label = { reason: "deploy 42", by: expect.any(String), until: expect.any(String) };
    expect(told).toMatchObject({ level: "info", expected: { ...label, paths: [directory.at("app")] } });
    expect(Date.parse(until) - Date.now()).toBeWithin(9 * 60_000, 10 * 60_000 + 1);
    expect(await first.nextChange(app)).toMatchObject({ level: "warn", expected: { ...label, until } });
    writeFileSync(other, "1\n");
    expect(await first.nextChange(other)).not.toHaveProperty("expected");

    // it outlives the process, and covers what is found at the start
    await first.stop();
    writeFileSync(app, "2\n");
    await using second = await Bpfink.start({ watch, database });
    expect(await second.nextChange(app)).toMatchObject({ origin: "startup", expected: label });

    // several: the last one speaks; and it ends by itself
    expect((await announce("--for", "2s", "--reason", "everything")).status).toBe(0);
    const brief = await second.line({ action: "expected" });
    writeFileSync(other, "2\n");
    expect(await second.nextChange(other)).toMatchObject({ expected: { reason: "everything" } });
    const { stdout } = await announce("--list");
    expect(stdout.split("\n")).toEqual([
      expect.stringContaining("deploy 42"),
      expect.stringContaining("everything"),
      "",
    ]);
    const over = Date.parse((brief["expected"] as { until: string }).until);
    while (Date.now() <= over) await Bun.sleep(over - Date.now() + 1);
    writeFileSync(other, "3\n");
    expect(await second.nextChange(other)).not.toHaveProperty("expected");

    expect(await announce("--end")).toMatchObject({ status: 0, stderr: "bpfink: 1 ended\n" });
    writeFileSync(app, "3\n");
    expect(await second.line({ action: "expected" })).toMatchObject({
      message: "no more changes are expected",
      expected: { reason: "deploy 42" },
    });
    expect(await second.nextChange(app)).not.toHaveProperty("expected");
    await second.noMoreLines();
  },
  SLOW,
);

test.each([
  [["--reason", "x"], "--for"],
  [["--for", "10m"], "--reason"],
  [["--for", "10", "--reason", "x"], "10m"],
  [["--list", "--end"], "alone"],
  [["--list", "--for", "10m"], "alone"],
  [["--for", "10m", "--reason", "x", "etc/x"], "relative"],
  [["--for", "10m", "--reason", "x", "--database", ":memory:"], "memory"],
])("bad usage: bpfink expect %p", async (args, told) => {
  const { status, stderr } = await bpfink(["expect", ...args]);
  expect(status).toBe(2);
  expect(stderr).toContain(told);
});

test(
  "what dpkg installs is labelled with its package, and is verified if it is what the package holds",
  async () => {
    using directory = new TemporaryDirectory();
    const root = directory.directory("root");
    for (const name of ["info", "updates", "triggers"]) mkdirSync(`${root}/var/lib/dpkg/${name}`, { recursive: true });
    writeFileSync(`${root}/var/lib/dpkg/status`, "");
    mkdirSync(`${root}/usr/bin`, { recursive: true });
    const build = async (version: string, tool: string) => {
      const sum = new Bun.CryptoHasher("md5").update(tool).digest("hex");
      directory.write(
        "deb/DEBIAN/control",
        `Package: bpfink-test\nVersion: ${version}\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: t\n`,
      );
      // what a build tool writes (dh_md5sums); the second is a lie
      directory.write("deb/DEBIAN/md5sums", `${sum}  usr/bin/tool\n${"0".repeat(32)}  usr/bin/other\n`);
      directory.write("deb/DEBIAN/conffiles", "/etc/tool.conf\n");
      directory.write("deb/usr/bin/tool", tool);
      directory.write("deb/usr/bin/other", tool);
      directory.write("deb/etc/tool.conf", tool);
      await run("dpkg-deb", "--root-owner-group", "--build", directory.at("deb"), directory.at("t.deb"));
      await run("dpkg", `--root=${root}`, "--log=/dev/null", "--force-not-root", "-i", directory.at("t.deb"));
    };
    await using bp = await Bpfink.start({ root, watch: ["/usr/bin/tool", "/usr/bin/other"] });
    for (const version of ["1.0", "1.1-2"]) {
      await build(version, `version ${version}\n`);
      const label = { name: "bpfink-test", version };
      expect(await bp.nextChange("/usr/bin/tool")).toMatchObject({
        processName: "dpkg",
        package: { ...label, verified: true },
      });
      expect(await bp.nextChange("/usr/bin/other")).toMatchObject({ package: { ...label, verified: false } });
    }
    writeFileSync(`${root}/usr/bin/tool`, "version 1.1-2\n!");
    expect(await bp.nextChange("/usr/bin/tool")).not.toHaveProperty("package"); // not by the package manager
    await bp.noMoreLines();
  },
  SLOW,
);
