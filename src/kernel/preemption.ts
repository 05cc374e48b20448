import { readFileSync } from "node:fs";
import { release, version } from "node:os";
import { gunzipSync } from "node:zlib";
import { readDebugfs } from "./debugfs.ts";

/** What can be read of how the kernel preempts tasks. Everything may be missing but the version. */
export interface PreemptionFacts {
  /** uname -v: "#1 SMP PREEMPT_DYNAMIC Debian …". */
  readonly version: string;
  /** sched/preempt of debugfs: "none (voluntary) full", the one in force in parentheses. */
  readonly debugfs: string | undefined;
  /** /proc/cmdline. */
  readonly commandLine: string | undefined;
  /** The kernel's .config. */
  readonly config: string | undefined;
}

export interface Preemption {
  /** Whether a task can be preempted inside of the kernel, and so of a BPF trampoline, whose other hits are skipped then. */
  readonly losesEvents: boolean;
  /** Where the kernel does not tell: the worse is assumed. */
  readonly isGuess?: true;
  /** Half a line: what was found where. */
  readonly reason: string;
}

/** CONFIG_PREEMPT_LAZY is Linux 6.13, 7c70cb94d29c ("sched: Add Lazy preemption model"). */
const MODELS = ["none", "voluntary", "full", "lazy"];

/**
 * Pure. A kernel that is built for one model says so in its version; one with CONFIG_PREEMPT_DYNAMIC
 * (5.12, 966a967116e6) chooses when it boots, which debugfs, the command line or the configuration tell.
 */
export function preemptionOf(facts: PreemptionFacts): Preemption {
  const built = /\bPREEMPT\w*/.exec(facts.version)?.[0];
  if (built === undefined) return { losesEvents: false, reason: "the kernel is not preemptible" };
  if (built !== "PREEMPT_DYNAMIC") return { losesEvents: true, reason: `the kernel is preemptible (${built})` };
  const inForce = /\((\w+)\)/.exec(facts.debugfs ?? "")?.[1];
  const asked = [...(facts.commandLine ?? "").matchAll(/(?:^|\s)preempt=(\w+)/g)].at(-1)?.[1];
  const configured = /^CONFIG_PREEMPT(?:_(NONE|VOLUNTARY|LAZY))?=y$/m.exec(facts.config ?? "");
  const model =
    inForce ?? MODELS.find((model) => model === asked) ?? (configured && (configured[1] ?? "full").toLowerCase());
  if (!model) return { losesEvents: true, isGuess: true, reason: "the kernel may be preemptible and does not tell" };
  const losesEvents = model !== "none" && model !== "voluntary";
  return { losesEvents, reason: `the kernel ${losesEvents ? "is" : "is not"} preemptible (preempt=${model})` };
}

/** How this kernel preempts. */
export function readPreemption(): Preemption {
  return preemptionOf({
    version: version(),
    debugfs: readDebugfs("sched/preempt"),
    commandLine: read("/proc/cmdline")?.toString(),
    config: (read("/proc/config.gz", gunzipSync) ?? read(`/boot/config-${release()}`))?.toString(),
  });
}

function read(path: string, convert = (bytes: Buffer): Buffer => bytes): Buffer | undefined {
  try {
    return convert(readFileSync(path));
  } catch {
    return undefined;
  }
}
