// The configuration file, and reading it again while changes are made.
import { expect, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { bpfink, SLOW } from "../e2e/process.ts";

test("bpfink config check", async () => {
  using directory = new TemporaryDirectory();
  const good = directory.write("good.toml", 'watch = ["/etc/motd", { path = "/srv", consumer = "generic" }]\n');
  expect(await bpfink(["config", "check", good])).toMatchObject({
    status: 0,
    stdout: 'watch = ["/etc/motd","/srv"]\nconsumer = [{"path":"/srv","consumer":"generic"}]\n',
    stderr: "",
  });
  const bad = directory.write("bad.toml", '\n\nbakend = "ebpf"\n');
  expect(await bpfink(["config", "check", bad])).toMatchObject({
    status: 2,
    stdout: "",
    stderr: `bpfink: error: ${bad} line 3: no such key: bakend; did you mean backend?\n`,
  });
  const missing = await bpfink(["config", "check", directory.at("missing.toml")]);
  expect(missing).toMatchObject({ status: 2, stdout: "" });
  expect(missing.stderr).toContain("missing.toml");
});

test("no hash in a file that is taken for a configuration is quoted", async () => {
  using directory = new TemporaryDirectory();
  const hash = "$6$abcdefgh$GHJKLMNPQRSTUVWXYZ";
  const files = [
    `root:${hash}:1:::::::`,
    `"${hash}" = 1`,
    `format = "${hash}"`,
    `watch = ["${hash}"]`,
    `redact = ["${hash}"]`,
  ];
  for (const text of files) {
    const file = directory.write("taken.toml", `${text}\n`);
    for (const args of [
      ["config", "check", file],
      ["--config", file, "--keep", "x"],
    ]) {
      const { stdout, stderr } = await bpfink(args);
      expect(stdout + stderr).not.toBe("");
      expect(stdout + stderr).not.toMatch(/abcde|GHJKL/);
    }
  }
});

test("a bad --config is told before anything is watched", async () => {
  using directory = new TemporaryDirectory();
  const file = directory.write("bad.toml", 'watch = "/etc/motd"\n');
  expect(await bpfink(["--config", file])).toMatchObject({
    status: 2,
    stdout: "",
    stderr: `bpfink: error: ${file} line 1: watch must be a list; write it like watch = ["/etc/motd"]\n`,
  });
});

test(
  "SIGHUP reads it again; what does not parse is refused and the old one kept",
  async () => {
    using directory = new TemporaryDirectory();
    const [a, b] = [directory.write("a", "1\n"), directory.write("b", "1\n")];
    const config = directory.write("bpfink.toml", `watch = ["${a}"]\n`);
    await using running = await Bpfink.start({ args: ["--config", config] });

    writeFileSync(config, `[[watch]]\npath = "${b}"\nconsumer = "generic"\n`);
    running.kill("SIGHUP");
    await running.line({ action: "reloaded", watched: 2 });
    writeFileSync(a, "2\n");
    writeFileSync(b, "2\n");
    expect(await running.only(b)).toMatchObject({ origin: "live", consumer: "generic", action: "modified" });

    writeFileSync(config, `watch = [\n"${a}"\n`);
    running.kill("SIGHUP");
    await running.stderr(/not reloaded, .*bpfink\.toml line 1: /);
    writeFileSync(a, "3\n");
    writeFileSync(b, "3\n");
    expect(await running.only(b)).toMatchObject({ origin: "live", consumer: "generic" });

    const fixed = { root: '"/etc"', backend: '"fanotify"', "ring-size": '"1M"', "max-watches": "100" };
    const rows = Object.entries(fixed).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(config, `watch = ["${b}"]\n${rows.join("")}`);
    running.kill("SIGHUP");
    await running.line({ action: "reloaded", watched: 2 });
    for (const name of Object.keys(fixed)) {
      await running.stderr(new RegExp(`warn: ${name} stays what it was until bpfink is started again`));
    }

    // what changed while it was not watched is told when it is watched again
    writeFileSync(config, `watch = ["${a}"]\n`);
    running.kill("SIGHUP");
    await running.line({ action: "reloaded" });
    expect(await running.only(a)).toMatchObject({ origin: "rescan", add: { Content: ["3"] } });
  },
  SLOW,
);

test(
  "no change that is made during reloads is lost, and each is told once",
  async () => {
    using directory = new TemporaryDirectory();
    const watched = directory.directory("watched");
    const file = directory.write("watched/file", "");
    const config = directory.write("bpfink.toml", `watch = ["${file}"]\n`);
    await using running = await Bpfink.start({ args: ["--config", config] });
    const written: string[] = [];
    for (let reload = 0; reload < 10; reload++) {
      writeFileSync(config, `watch = ["${file}"${reload % 2 === 0 ? `, "${watched}"` : ""}]\n`);
      running.kill("SIGHUP");
      for (let i = 0; i < 20; i++) {
        written.push(`${reload}.${i}`);
        appendFileSync(file, `${reload}.${i}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await running.line({ action: "reloaded" });
    }
    const lines = (await running.rest()).filter((line) => line.file === file);
    expect(lines.flatMap((line) => (line["add"] as { Content?: string[] } | undefined)?.Content ?? [])).toEqual(
      written,
    );
    expect(new Set(lines.map(({ consumer }) => consumer))).toEqual(new Set(["diff"]));
  },
  SLOW,
);

test(
  "shadow keeps its secrets whatever consumer is named for it",
  async () => {
    using directory = new TemporaryDirectory();
    const hash = "$6$saltsalt$0123456789abcdef";
    const file = directory.write("shadow", `ann:${hash}:1:0:9:7:::\n`);
    for (const consumer of ["diff", "generic", "access", "users"]) {
      writeFileSync(file, `ann:${hash}:1:0:9:7:::\n`);
      await using running = await Bpfink.start({ watch: [file], args: ["--consumer", `${file}=${consumer}`] });
      writeFileSync(file, `ann:${hash}x:1:0:9:7:::\n`);
      const line = await running.only(file);
      expect(line.consumer).toBe(consumer === "users" ? "users" : "generic");
      const { stdout, stderr } = await running.stop();
      expect(stdout + stderr).not.toContain("saltsalt");
      expect(stdout + stderr).not.toContain(
        new Bun.CryptoHasher("sha256").update(`ann:${hash}x:1:0:9:7:::\n`).digest("hex"),
      );
    }
  },
  SLOW,
);
