import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";
import type { Form } from "../kernel/hooks.ts";
import { LoadError } from "../kernel/load.ts";
import { readPreemption } from "../kernel/preemption.ts";
import { log } from "../log.ts";
import { DirtyPages } from "./dirty.ts";
import { EbpfSource } from "./ebpf.ts";
import { openFanotify } from "./fanotify.ts";
import { ProcessTable } from "./processes.ts";
import { SignalTable } from "./signals.ts";
import type { Source, SourceSizes } from "./source.ts";

/** What --backend takes. */
export const BACKENDS = ["auto", "ebpf", "ebpf/fentry", "ebpf/kprobe", "fanotify"] as const;
export type Backend = (typeof BACKENDS)[number];

/** As in bpf/: some 1,700 events while user space is away. */
export const DEFAULT_SIZES: SourceSizes = { ringSize: 4 << 20 };

/**
 * The best source that this kernel permits, or the one asked for. Says on stderr which it is, what
 * it cannot see, and why it is not the better one.
 *
 * @param open makes the source of a form, or throws LoadError
 */
export function openSource(
  backend: Backend,
  sizes: SourceSizes = DEFAULT_SIZES,
  open = (form: Form) => new EbpfSource(form, sizes),
): Source {
  if (backend === "fanotify") return announce(fanotify());
  const refusals: string[] = [];
  const source = ebpf(formsOf(backend), open, refusals);
  if (source !== undefined) return announce(source);
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

/**
 * The first form that the kernel takes. If it refuses trampolines of single hooks, kprobes where it refuses fewer: they
 * are dearer, but see.
 *
 * @param open throws LoadError where it does not
 * @param refusals gets those of forms that it does not take
 */
function ebpf(forms: readonly Form[], open: (form: Form) => EbpfSource, refusals: string[]): EbpfSource | undefined {
  let best: EbpfSource | undefined;
  for (const form of forms) {
    if (best !== undefined && (form !== "kprobe" || !best.missing.some(({ isRefused }) => isRefused))) break;
    try {
      const source = open(form);
      const isNoBetter = best !== undefined && best.missing.length <= source.missing.length;
      const worse = isNoBetter ? source : best;
      if (worse !== undefined)
        log.info(`not using ${worse.backend}, which sees no more here; not seen: ${worse.unseen.join("; ")}`);
      worse?.[Symbol.dispose]();
      if (!isNoBetter) best = source;
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      refusals.push(`ebpf/${form}: ${messageOf(error)}`);
    }
  }
  for (const { hook, reason } of best?.missing ?? []) {
    log.warn(`${hook.target} cannot be traced (${reason}): ${hook.consequence}`);
  }
  return best;
}

function fanotify(): Source {
  const processes = unlessRefused(() => new ProcessTable(), "processes that end at once will not be named");
  const dirty = unlessRefused(() => new DirtyPages(), "stores through shared mappings will be seen late or not at all");
  try {
    return openFanotify(processes, dirty);
  } catch (error) {
    processes?.[Symbol.dispose]();
    dirty?.[Symbol.dispose]();
    throw error;
  }
}

/** Who sends us signals; undefined, said on stderr, where the kernel does not tell. */
export const openSignals = (): SignalTable | undefined =>
  unlessRefused(() => new SignalTable(), "who stops bpfink will not be named");

/** Opens what bpfink can do without. @param consequence what is said where the kernel refuses it */
function unlessRefused<T>(open: () => T, consequence: string): T | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    log.warn(`${consequence}: ${messageOf(error)}`);
    return undefined;
  }
}

function announce(source: Source): Source {
  log.info(`watching with ${source.backend}`);
  return source;
}
