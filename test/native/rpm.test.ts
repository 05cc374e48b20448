// What rpm installs is labelled with its package, which rpm notes only after the files are in place.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { Bpfink, type StartOptions } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { PATIENCE, SLOW } from "../e2e/process.ts";
import { buildPackage, rpm } from "../e2e/rpm.ts";

const TOOL = "/usr/bin/tool";
const OTHER = "/usr/bin/other";

/** A system with rpm's database, and one bpfink after the other. */
class System implements Disposable {
  readonly #directory = new TemporaryDirectory();
  readonly #root = this.#directory.directory("root");

  constructor() {
    mkdirSync(this.at("/usr/bin"), { recursive: true });
  }

  start(options: Partial<StartOptions> = {}): Promise<Bpfink> {
    const database = this.#directory.at("db/bpfink.db");
    return Bpfink.start({ root: this.#root, database, watch: [TOOL, OTHER], ...options });
  }

  /** @param after in Lua, as `%post` */
  async install(version: string, files: readonly string[] = [TOOL], after?: string, more = {}): Promise<void> {
    const contents = Object.fromEntries(files.map((path) => [path, `${path} ${version}\n`]));
    const content = { version, files: { ...contents, ...more }, ...(after !== undefined && { after }) };
    const fast = ["_binary_payload w1.gzdio"];
    await rpm(this.#root, "-U", await buildPackage(this.#directory, { ...content, defines: fast }));
  }

  at(path: string): string {
    return this.#root + path;
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

const label = (version: string, verified: boolean) => ({ name: "bpfink-test", version: `${version}-1`, verified });

/** What came before it has been looked at by then, and asked for twice more if a disk is slow (src/labels/held.ts). */
const PAUSE = "posix.sleep(2)\n";
/** Changes the file, at once: it is rpm that does it, and no package has such content. */
const write = (content: string) =>
  `local f = io.open("/new", "w") f:write("${content}") f:close() os.rename("/new", "${TOOL}")\n`;

test.each([
  ["a file", [TOOL, OTHER]],
  ["a directory", ["/usr/bin"]],
])(
  "what rpm installs and upgrades has the version of which it is, in %s",
  async (_, watch) => {
    using system = new System();
    await using bp = await system.start({ watch });
    for (const version of ["1.0", "1.1"]) {
      await system.install(version, [TOOL, OTHER]);
      for (const file of [TOOL, OTHER]) {
        const action = version === "1.0" ? "created" : "modified";
        const expected = { action, origin: "live", processName: "rpm", package: label(version, true) };
        expect(await bp.nextChange(file)).toMatchObject(expected);
      }
    }
    writeFileSync(system.at(TOOL), "mine\n");
    expect(await bp.nextChange(TOOL)).not.toHaveProperty("package"); // not by the package manager
    await bp.noMoreLines();
  },
  SLOW,
);

// All files are unpacked under other names before the first gets its own: here that takes longer than bpfink waits.
test(
  "a file that is unpacked for a while beside its place is told once, in its place",
  async () => {
    using system = new System();
    await using bp = await system.start({ watch: ["/usr/bin", TOOL] });
    for (const version of ["1.0", "1.1"]) {
      await system.install(version, [TOOL, OTHER], undefined, { "/var/large": "large\n".repeat(2e7) });
      for (const file of [TOOL, OTHER])
        expect(await bp.nextChange(file)).toMatchObject({ package: label(version, true) });
      await bp.noMoreLines();
    }
  },
  2 * SLOW,
);

test(
  "a scriptlet's own content is not verified; nobody else's change waits for that",
  async () => {
    using system = new System();
    await using bp = await system.start();
    await system.install("1.0", [TOOL], PAUSE + write("x"));
    expect(await bp.nextChange(TOOL)).toMatchObject({ action: "created", package: label("1.0", true) });
    writeFileSync(system.at(OTHER), "mine\n");
    expect(await bp.nextChange(OTHER)).not.toHaveProperty("package");
    await bp.noMoreLines();
    const last = await bp.line({ file: TOOL }, { timeout: 3 * PATIENCE });
    expect(last).toMatchObject({ action: "modified", processName: "rpm", package: label("1.0", false) });
    await bp.noMoreLines();
  },
  2 * SLOW,
);

test(
  "what is undone while it waits for its label is told all the same, and so is what another does then",
  async () => {
    using system = new System();
    await using bp = await system.start();
    await system.install("1.0", [TOOL], PAUSE + write("x") + PAUSE + write(`${TOOL} 1.0\\n`) + PAUSE + write("y"));
    expect(await bp.nextChange(TOOL)).toMatchObject({ action: "created", package: label("1.0", true) });
    const done = await bp.nextChange(TOOL);
    expect(done).toMatchObject({ action: "modified", processName: "rpm" });
    expect(done).not.toHaveProperty("package"); // it is not known what would have come
    expect(await bp.nextChange(TOOL)).toMatchObject({ action: "modified", package: label("1.0", true) });
    await bp.noMoreLines();
    writeFileSync(system.at(TOOL), "mine\n");
    expect(await bp.nextChange(TOOL)).toMatchObject({ action: "modified", processName: "rpm" });
    const mine = await bp.nextChange(TOOL);
    expect(mine).toMatchObject({ action: "modified", process: { pid: process.pid } });
    expect(mine).not.toHaveProperty("package");
    await bp.noMoreLines();
  },
  SLOW,
);

describe("what waits for its label", () => {
  /** A bpfink that was told of the file, and holds what a scriptlet made of it. */
  async function waiting(system: System): Promise<Bpfink> {
    const bp = await system.start();
    try {
      await system.install("1.0", [TOOL], PAUSE + write("x"));
      expect(await bp.nextChange(TOOL)).toMatchObject({ package: label("1.0", true) });
      await bp.noMoreLines();
      return bp;
    } catch (error) {
      await bp[Symbol.asyncDispose]();
      throw error;
    }
  }

  test(
    "is told at the end",
    async () => {
      using system = new System();
      await using bp = await waiting(system);
      const before = performance.now();
      expect((await bp.stop()).status).toBe(0);
      expect(performance.now() - before).toBeLessThan(PATIENCE / 2);
      expect(await bp.nextChange(TOOL)).toMatchObject({ action: "modified", origin: "live", processName: "rpm" });

      await using next = await system.start();
      await next.noMoreLines();
    },
    SLOW,
  );

  test(
    "is found at the next start if there was no end",
    async () => {
      using system = new System();
      await using bp = await waiting(system);
      await bp.stop("SIGKILL");

      await using next = await system.start();
      expect(await next.nextChange(TOOL)).toMatchObject({ action: "modified", origin: "startup" });
      await next.noMoreLines();
    },
    SLOW,
  );

  test(
    "goes on waiting when the configuration is read again",
    async () => {
      using system = new System();
      await using bp = await waiting(system);
      bp.kill("SIGHUP");
      await bp.line({ action: "reloaded" });
      await bp.noMoreLines();
      const last = await bp.line({ file: TOOL }, { timeout: 3 * PATIENCE });
      expect(last).toMatchObject({ origin: "live", processName: "rpm", package: label("1.0", false) });
      await bp.noMoreLines();
    },
    2 * SLOW,
  );
});
