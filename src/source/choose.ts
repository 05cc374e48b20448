import { existsSync } from "node:fs";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import type { Form } from "../kernel/hooks.ts";
import { LoadError } from "../kernel/load.ts";
import { readPreemption } from "../kernel/preemption.ts";
import { log } from "../log.ts";
import { EbpfSource } from "./ebpf.ts";
import { openFanotify } from "./fanotify.ts";
import { ProcessTable } from "./processes.ts";
import type { Source } from "./source.ts";

/** What --backend takes. */
export const BACKENDS = ["auto", "ebpf", "ebpf/fentry", "ebpf/kprobe", "fanotify"] as const;
export type Backend = (typeof BACKENDS)[number];

/**
 * The best source that this kernel permits, or the one asked for. Says on stderr which it is, what
 * it cannot see, and why it is not the better one.
 */
export function openSource(backend: Backend): Source {
  if (backend === "fanotify") return announce(fanotify());
  const refusals: string[] = [];
  for (const form of formsOf(backend)) {
    try {
      return announce(ebpf(form));
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      refusals.push(`ebpf/${form}: ${messageOf(error)}`);
    }
  }
  if (backend !== "auto") {
    throw new BpfinkError(
      ExitStatus.cannotWatch,
      `the backend ${backend} cannot be used: ${refusals.join("; ")}`,
      "let bpfink choose (--backend auto), or run a kernel with BTF and BPF trampolines or kprobes (5.10 or later, " +
        "CONFIG_DEBUG_INFO_BTF, CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS or CONFIG_KPROBES)",
    );
  }
  for (const refusal of refusals) log.warn(`not using ${refusal}`);
  return announce(fanotify());
}

/**
 * The forms to try, the better one first. Trampolines are cheaper; but on a preemptible kernel they
 * lose events, and kprobes do not (docs/kernel.md).
 */
function formsOf(backend: Backend): readonly Form[] {
  if (backend === "ebpf/fentry") return ["fentry"];
  if (backend === "ebpf/kprobe") return ["kprobe"];
  const preemption = readPreemption();
  if (!preemption.losesEvents) return ["fentry", "kprobe"];
  log.info(`not using ebpf/fentry, which can lose events here: ${preemption.reason}`);
  return ["kprobe", "fentry"];
}

/** The PMU that kprobes are attached through: e12f03d7031a ("perf/core: Implement the 'perf_kprobe' PMU"), Linux 4.17. */
const KPROBE_PMU = "/sys/bus/event_source/devices/kprobe";

function ebpf(form: Form): Source {
  // known before the programs are loaded, which takes the verifier a second or more
  if (form === "kprobe" && !existsSync(KPROBE_PMU)) throw new LoadError("this kernel has no kprobes");
  const source = new EbpfSource(form);
  for (const { hook, reason } of source.missing) {
    log.warn(`${hook.target} cannot be traced (${reason}): ${hook.consequence}`);
  }
  return source;
}

function fanotify(): Source {
  let processes: ProcessTable | undefined;
  try {
    processes = new ProcessTable();
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    log.warn(`processes that end at once will not be named: ${messageOf(error)}`);
  }
  try {
    return openFanotify(processes);
  } catch (error) {
    processes?.[Symbol.dispose]();
    throw error;
  }
}

function announce(source: Source): Source {
  log.info(`watching with ${source.backend}`);
  return source;
}
