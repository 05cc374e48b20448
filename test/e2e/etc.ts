// Copies of the user databases, and the tools that change them: in a mount namespace, where the copies are in /etc.
import { cpSync, existsSync } from "node:fs";
import { TemporaryDirectory } from "./files.ts";
import { end, type RunOptions, succeeded } from "./process.ts";

const PASSWD =
  "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n";
const SHADOW = "root:*:19000:0:99999:7:::\nann:!:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n";
const GROUP = "root:x:0:\nshadow:x:42:\nann:x:1000:\nnogroup:x:65534:\n";
const GSHADOW = "root:*::\nshadow:*::\nann:!::\nnogroup:*::\n";
/** What the tools read, as far as the machine has it. */
const COPIED = [
  "login.defs",
  "default",
  "pam.conf",
  "pam.d",
  "security",
  "nsswitch.conf",
  "shells",
  "ld.so.cache",
  "vim",
];

/** A root directory for bpfink with the users root, ann and nobody. */
export class Etc extends TemporaryDirectory {
  constructor() {
    super();
    for (const name of COPIED) {
      const from = `/etc/${name}`;
      if (existsSync(from)) cpSync(from, this.at("etc", name), { recursive: true, verbatimSymlinks: true });
    }
    this.write("etc/passwd", PASSWD);
    this.write("etc/shadow", SHADOW, 0o640);
    this.write("etc/group", GROUP);
    this.write("etc/gshadow", GSHADOW, 0o640);
  }

  /**
   * Runs a tool that finds our copies in /etc.
   *
   * @param mounts of our directories, those that are to be seen in their places
   */
  async tool(command: readonly string[], options?: RunOptions, mounts: readonly string[] = ["etc"]): Promise<number> {
    const binds = mounts.map((name) => `mount --bind "$0/${name}" /${name} && `).join("");
    const script = `mount --make-rprivate / && ${binds}exec "$@"`;
    const whole = ["unshare", "-m", "sh", "-c", script, this.path, ...command];
    return succeeded(whole, await end(whole, options)).pid;
  }

  /** A tool that reads its work from its input. */
  fed(input: string, ...command: string[]): Promise<number> {
    return this.tool(["sh", "-c", `printf '%s\\n' '${input}' | exec "$@"`, "sh", ...command]);
  }
}
