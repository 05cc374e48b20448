// The pam_access(8) of this machine, asked directly.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class PamAccess implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "bpfink-pam-"));
  readonly #program = join(this.#directory, "pam-access");
  readonly #services = join(this.#directory, "pam.d");

  constructor() {
    mkdirSync(this.#services);
    const source = join(import.meta.dir, "pam-access.c");
    const command = ["clang", "-Wall", "-Wextra", "-Werror", source, "-o", this.#program, "-l:libpam.so.0"];
    const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
    if (exitCode !== 0) throw new Error(`clang: status ${exitCode}\n${stderr.toString()}`);
  }

  /** Whether root is let in, of each pair of an access.conf and a host. */
  letsIn(cases: readonly (readonly [rules: string | Uint8Array, host: string])[]): boolean[] {
    for (const [i, [rules]] of cases.entries()) {
      const file = join(this.#directory, `${i}.conf`);
      writeFileSync(file, rules);
      writeFileSync(join(this.#services, String(i)), `account required pam_access.so accessfile=${file} noaudit\n`);
    }
    const stdin = Buffer.from(cases.map(([, host], i) => `${i} ${host}\n`).join(""));
    const { stdout, exitCode } = Bun.spawnSync([this.#program, this.#services], { stdin });
    const answers = stdout.toString().split("\n").slice(0, -1);
    if (exitCode !== 0 || answers.length !== cases.length) throw new Error(`pam-access: status ${exitCode}`);
    return answers.map((answer) => answer === "1");
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}
