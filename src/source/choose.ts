import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import { LoadError } from "../kernel/load.ts";
import { log } from "../log.ts";
import { EbpfSource } from "./ebpf.ts";
import { openFanotify } from "./fanotify.ts";
import { ProcessTable } from "./processes.ts";
import type { Source } from "./source.ts";

/** What --backend takes. */
export const BACKENDS = ["auto", "ebpf", "ebpf/fentry", "fanotify"] as const;
export type Backend = (typeof BACKENDS)[number];

/**
 * The best source that this kernel permits, or the one asked for. Says on stderr which it is, what
 * it cannot see, and why it is not the better one.
 */
export function openSource(backend: Backend): Source {
  if (backend === "fanotify") return announce(fanotify());
  try {
    const source = new EbpfSource();
    for (const { hook, reason } of source.missing) {
      log.warn(`${hook.target} cannot be traced (${reason}): ${hook.consequence}`);
    }
    return announce(source);
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    if (backend !== "auto") {
      throw new BpfinkError(
        ExitStatus.cannotWatch,
        `the backend ${backend} cannot be used: ${messageOf(error)}`,
        "let bpfink choose (--backend auto), or run a kernel with BTF and BPF trampolines (5.10 or later, " +
          "CONFIG_DEBUG_INFO_BTF, CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)",
      );
    }
    log.warn(`not using ebpf: ${messageOf(error)}`);
    return announce(fanotify());
  }
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
