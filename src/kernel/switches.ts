import { closeSync, openSync, readSync } from "node:fs";
import { openDebugfs } from "./debugfs.ts";
import type { Form } from "./hooks.ts";

/** What turns programs off that are attached, without a word to whoever attached them (docs/kernel.md). */
interface Switch {
  readonly name: string;
  readonly remedy: string;
  readonly fd: number;
}

/** The kernel's switches that silence the hooks of a form. */
export class Switches implements Disposable {
  readonly #switches: readonly Switch[];
  readonly #byte = new Uint8Array(1);

  constructor(form: Form) {
    const switches = [
      {
        name: "the sysctl kernel.ftrace_enabled is 0",
        remedy: "sysctl kernel.ftrace_enabled=1",
        fd: open("/proc/sys/kernel/ftrace_enabled"), // kprobes at a function's entry use ftrace as well
      },
      {
        name: "all kprobes are disarmed",
        remedy: "echo 1 > /sys/kernel/debug/kprobes/enabled",
        fd: form === "kprobe" ? openDebugfs("kprobes/enabled") : undefined,
      },
    ];
    this.#switches = switches.flatMap(({ fd, ...rest }) => (fd === undefined ? [] : [{ ...rest, fd }]));
  }

  /** Those that are off. */
  off(): readonly Switch[] {
    return this.#switches.filter(
      ({ fd }) => readSync(fd, this.#byte, 0, 1, 0) === 1 && this.#byte[0] === 0x30 /* "0" */,
    );
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#switches) closeSync(fd);
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined; // a kernel without it has nothing to turn off
  }
}
