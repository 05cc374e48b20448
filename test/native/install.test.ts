// build/install.sh, as a server of dist gives it away, piped into a shell; into a directory of the test's own.
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { BPFINK, environment, PATIENCE, SLOW } from "../e2e/process.ts";
import { Systemd, SYSTEMD } from "./systemd.ts";

const DIST = dirname(BPFINK);
const FILES = ["bpfink", "bpfink.service", "SHA256SUMS", "install.sh"] as const;
type Name = (typeof FILES)[number];

const digestOf = (content: Uint8Array | string) => new Bun.CryptoHasher("sha256").update(content).digest("hex");
const contentOf = (name: Name) => readFileSync(join(DIST, name));
const SCRIPT = contentOf("install.sh").toString();

/** What is served in the place of dist's files; "cut": half of it, then the connection ends. */
let other: Partial<Record<Name, string | Uint8Array | "cut">> = {};
const server = createServer(({ url }, response) => {
  const name = FILES.find((file) => url === `/${file}`);
  if (name === undefined) return void response.writeHead(404).end();
  const replaced = other[name];
  const content = replaced === undefined || replaced === "cut" ? contentOf(name) : Buffer.from(replaced);
  response.writeHead(200, { "content-length": content.length });
  if (replaced !== "cut") return void response.end(content);
  response.write(content.subarray(0, content.length >> 1), () => response.destroy());
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
afterAll(() => server.close());

const FROM = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const pin = () => digestOf(other.SHA256SUMS ?? contentOf("SHA256SUMS"));
const served = () => ["--from", FROM, "--sha256", pin()];
/** Another version: what else an executable has to be does not matter to the script. */
const NEXT = "#!/bin/sh\necho bpfink 9.9.9\n";
const sumsWith = (executable: string) =>
  `${digestOf(executable)}  bpfink\n${digestOf(contentOf("bpfink.service"))}  bpfink.service\n`;

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE; !(await condition()); await Bun.sleep(50)) {
    if (performance.now() > deadline) throw new Error(`not so within ${PATIENCE} ms: ${condition.toString()}`);
  }
}

/** Waits for the end of the first look at a long file, which is read between events. */
async function untilKnown(database: string, file: string): Promise<void> {
  using opened = new Database(database, { readonly: true });
  const query = opened.query("SELECT 1 FROM state WHERE path = ?");
  while (query.get(file) === null) await Bun.sleep(50);
}

class Place implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly destdir = this.#directory.directory("root");
  readonly bin = join(this.destdir, "usr/local/bin");
  readonly unit = join(this.destdir, "etc/systemd/system/bpfink.service");
  readonly executable = join(this.bin, "bpfink");

  /** Pipes the script into a shell. */
  async sh(args: readonly string[], { script = SCRIPT, shell = ["sh"], env = {} as Record<string, string> } = {}) {
    const child = Bun.spawn([...shell, "-s", "--", ...args, "--destdir", this.destdir], {
      stdin: Buffer.from(script),
      stdout: "pipe",
      stderr: "pipe",
      env: environment(env),
    });
    const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { stdout, stderr, status };
  }

  /** Every file and directory, without those that are on the way to what is installed. */
  files(): string[] {
    return readdirSync(this.destdir, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() || entry.name.startsWith(".bpfink"))
      .map(({ name }) => name)
      .sort();
  }

  path(name: string): string {
    return this.#directory.at(name);
  }

  [Symbol.dispose](): void {
    other = {};
    this.#directory[Symbol.dispose]();
  }
}

const shells = [["sh"], ["busybox", "sh"]].filter(([program]) => Bun.which(program!) !== null);
test.each(shells)(
  "%s %s: installed, again, and taken away, twice",
  async (...shell) => {
    using place = new Place();
    const options = { shell: shell.filter((word) => typeof word === "string") };
    expect(await place.sh(served(), options)).toMatchObject({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(/^bpfink: \d+\.\d+\.\d+ is in \S+\nbpfink: not started: \S.*\n$/),
    });
    expect(place.files()).toEqual(["bpfink", "bpfink.service"]);
    expect(digestOf(readFileSync(place.executable))).toBe(digestOf(contentOf("bpfink")));
    const { mode, ino } = statSync(place.executable);
    expect(mode & 0o7777).toBe(0o755);
    expect(statSync(place.unit).mode & 0o7777).toBe(0o644);
    expect(readFileSync(place.unit, "utf8")).toBe(
      contentOf("bpfink.service").toString().replace("ExecStart=/usr/bin/", "ExecStart=/usr/local/bin/"),
    );

    const again = await place.sh(served(), options);
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining("is there already") });
    expect(statSync(place.executable).ino).toBe(ino);

    for (let i = 0; i < 2; i++) {
      expect(await place.sh(["--uninstall"], options)).toMatchObject({ status: 0, stdout: "" });
      expect(place.files()).toEqual([]);
    }
  },
  SLOW,
);

test(
  "what has not its digest, comes in part, or does not run is not installed; what was there stays",
  async () => {
    using place = new Place();
    const refused = async (args: readonly string[], status: number, told: RegExp, files: readonly string[]) => {
      const ended = await place.sh(args);
      expect(ended).toMatchObject({ status, stdout: "" });
      expect(ended.stderr).toMatch(told);
      expect(ended.stderr.trim().split("\n").at(-1)).toMatch(/^bpfink: error: \S.*; \S.*$/);
      expect(place.files()).toEqual([...files]);
    };
    const next = { bpfink: NEXT, SHA256SUMS: sumsWith(NEXT) }; // is soon copied
    const attempts: readonly (readonly [typeof other, RegExp])[] = [
      [{ bpfink: `${NEXT}#` }, /bpfink has another digest than SHA256SUMS says/],
      [{ "bpfink.service": "[Service]\nExecStart=/bin/false\n" }, /bpfink\.service has another digest/],
      [{ SHA256SUMS: "" }, /bpfink has another digest/],
      [{ bpfink: "cut" }, /bpfink cannot be fetched whole/],
      [{ SHA256SUMS: "cut" }, /SHA256SUMS cannot be fetched whole/],
      [{ bpfink: "\x7fELF", SHA256SUMS: sumsWith("\x7fELF") }, /bpfink does not run here/],
    ];
    for (const files of [[], ["bpfink", "bpfink.service"]]) {
      for (const [what, told] of attempts) {
        other = { ...next, ...what };
        await refused(served(), 1, told, files);
      }
      other = next;
      await refused(["--from", FROM, "--sha256", "0".repeat(64)], 1, /another digest than --sha256 says/, files);
      await refused(["--from", FROM], 2, /http can be anybody's/, files);
      await refused([], 2, /nobody said where/, files);
      await refused(["--from", "ftp://x"], 2, /is no URL/, files);
      await refused(["--from", `${FROM}none/`, "--sha256", pin()], 1, /cannot be fetched/, files);
      await refused(["--prefix", "/a b", ...served()], 2, /cannot be used/, files);
      await refused(["--prefix", "usr", ...served()], 2, /relative path/, files);
      await refused(["--form", FROM], 2, /no such option: --form/, files);
      await refused(["--from", ""], 2, /--from needs a value/, files);
      if (files.length === 0) expect((await place.sh(served())).status).toBe(0);
    }
    expect(readFileSync(place.executable, "utf8")).toBe(NEXT);
  },
  2 * SLOW,
);

test(
  "of a script that was cut, nothing runs",
  async () => {
    using place = new Place();
    const ends = [...SCRIPT.matchAll(/\n/g)].map(({ index }) => index).slice(0, -1);
    const last = SCRIPT.length - 1;
    expect(ends.length).toBeGreaterThan(100);
    for (const end of [...ends, ...[3, 5, 7, 9].map((back) => last - back)]) {
      const { stdout } = await place.sh(served(), { script: SCRIPT.slice(0, end) });
      expect({ end, stdout, files: readdirSync(place.destdir) }).toEqual({ end, stdout: "", files: [] });
    }
  },
  2 * SLOW,
);

test(
  "an upgrade in place, while it runs: it goes on, and tells of it",
  async () => {
    using place = new Place();
    expect((await place.sh(served())).status).toBe(0);
    const { executable } = place;
    await using running = await Bpfink.start({ executable, watch: [executable] });
    await untilKnown(running.database, executable);
    other = { bpfink: NEXT, SHA256SUMS: sumsWith(NEXT) };
    expect(await place.sh(served())).toMatchObject({ status: 0, stderr: expect.stringContaining("9.9.9 is in") });
    expect(await running.line({ file: executable })).toMatchObject({ action: "modified", process: { name: "mv" } });
    expect(readFileSync(executable, "utf8")).toBe(NEXT);
    other = {};
    expect((await place.sh(served())).status).toBe(0);
    await running.line({ file: executable }, { timeout: 2 * PATIENCE });
    expect((await running.stop()).status).toBe(0);
  },
  2 * SLOW,
);

test(
  "from a directory; with wget where there is no curl; --help",
  async () => {
    using place = new Place();
    expect((await place.sh(["--from", DIST])).status).toBe(0);
    expect(place.files()).toEqual(["bpfink", "bpfink.service"]);
    expect((await place.sh(["--uninstall"])).status).toBe(0);
    const { status, stdout } = await place.sh(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("--from URL|DIRECTORY");
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);

    const path = place.path("path");
    const programs = "sh sed cut id uname mkdir mktemp rm cp mv chmod cmp sha256sum cat".split(" ");
    mkdirSync(path);
    for (const program of programs) symlinkSync(Bun.which(program)!, join(path, program));
    const env = { PATH: path };
    expect(await place.sh(served(), { env })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("curl nor wget"),
    });
    const wget = Bun.which("wget") ?? Bun.which("busybox");
    if (wget === null) return;
    writeFileSync(join(path, "wget"), `#!/bin/sh\nexec ${wget.endsWith("busybox") ? `${wget} wget` : wget} "$@"\n`);
    chmodSync(join(path, "wget"), 0o755);
    expect(await place.sh(served(), { env })).toMatchObject({ status: 0 });
    expect(existsSync(place.executable)).toBe(true);
  },
  SLOW,
);

/** What goes on, as a service does. */
const SERVICE = '#!/bin/sh\nif [ "$1" = --version ]; then echo bpfink 9.9.9; else exec sleep 1000; fi\n';

test.skipIf(!existsSync(SYSTEMD))(
  "with systemd: it runs as the unit has it; an upgrade starts the new one; taken away, it ends",
  async () => {
    using _ = new Place();
    await using systemd = await Systemd.boot();
    const install = (...args: string[]) => systemd.run("sh", "-c", SCRIPT, "sh", ...args);
    const show = async (property: string) =>
      (await systemd.run("systemctl", "show", "--value", "-p", property, "bpfink")).stdout.trim();

    const told = (what: string) => ({ status: 0, stdout: "", stderr: expect.stringContaining(what) });

    expect(await install("--no-start", ...served())).toMatchObject(told("not started"));
    expect(await show("ActiveState")).toBe("inactive");
    expect(await install(...served())).toMatchObject(told("is there already\nbpfink: it runs: "));
    expect(await systemd.run("systemd-analyze", "verify", "bpfink.service")).toMatchObject({ status: 0, stderr: "" });
    expect(await show("ActiveState")).toBe("active");
    expect((await systemd.run("systemctl", "is-enabled", "bpfink")).stdout).toBe("enabled\n");
    const pid = await show("MainPID");
    expect((await systemd.run("readlink", `/proc/${pid}/exe`)).stdout).toBe("/usr/local/bin/bpfink\n");

    // what the unit leaves it is enough to see with
    const unit = "/etc/systemd/system/other.service";
    const history = () => systemd.run("bpfink", "history", "--json", "--path", unit);
    await until(async () => (await systemd.run("bpfink", "history")).stdout.includes("started"));
    expect((await systemd.run("sh", "-c", `echo [Service] >${unit}`)).status).toBe(0);
    await until(async () => (await history()).stdout.includes('"created"'));

    expect(await install(...served())).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("is there already"),
    });
    expect((await systemd.run("systemctl", "reload", "bpfink")).status).toBe(0);
    await until(async () => (await systemd.run("bpfink", "history")).stdout.includes("reloaded"));
    expect(await show("MainPID")).toBe(pid);

    other = { bpfink: SERVICE, SHA256SUMS: sumsWith(SERVICE) };
    expect(await install(...served())).toMatchObject(told("9.9.9 is in /usr/local/bin\nbpfink: it runs: "));
    expect(await show("ActiveState")).toBe("active");
    const next = await show("MainPID");
    expect((await systemd.run("cat", `/proc/${next}/comm`)).stdout).toBe("sleep\n");

    expect(await install("--uninstall")).toMatchObject(told("it is gone"));
    expect(await show("LoadState")).toBe("not-found");
    expect((await systemd.run("test", "-e", `/proc/${next}`)).status).toBe(1);
    const left = await systemd.run("find", "/etc/systemd/system", "/usr/local", "/var/lib", "-name", "*bpfink*");
    expect(left.stdout).toStartWith("/var/lib/bpfink\n");
    expect(
      left.stdout
        .trim()
        .split("\n")
        .filter((path) => !path.startsWith("/var/lib/bpfink")),
    ).toEqual([]);
  },
  2 * SLOW,
);
