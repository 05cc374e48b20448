import { messageOf } from "../errors.ts";
import type { Form } from "../kernel/hooks.ts";
import { LoadError } from "../kernel/load.ts";
import { type Backend, DEFAULT_SIZES } from "./choose.ts";
import { EbpfSource } from "./ebpf.ts";

/** What one form of the eBPF backend comes to on this kernel. */
export interface FormReport {
  readonly backend: Backend;
  /** Why it cannot be used; undefined if it can. */
  readonly refusal?: string;
  readonly remedy?: string;
  /** Hooks that are attached. */
  readonly attached: number;
  readonly missing: readonly { readonly target: string; readonly reason: string; readonly consequence: string }[];
}

/** A form that was tried: loaded and attached until it is disposed of. */
export class Probe implements Disposable {
  readonly report: FormReport;
  #source: EbpfSource | undefined;

  constructor(form: Form) {
    const backend = `ebpf/${form}` as const;
    try {
      this.#source = new EbpfSource(form, DEFAULT_SIZES);
      const missing = this.#source.missing.map(({ hook: { target, consequence }, reason }) => ({
        target,
        reason,
        consequence,
      }));
      this.report = { backend, attached: this.#source.attached, missing };
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      this.report = { backend, refusal: messageOf(error), remedy: REMEDIES[form], attached: 0, missing: [] };
    }
  }

  /** The source, once: whoever takes it disposes of it. @throws LoadError where the kernel refused it */
  take(): EbpfSource {
    const source = this.#source;
    if (source === undefined) throw new LoadError(this.report.refusal);
    this.#source = undefined;
    return source;
  }

  [Symbol.dispose](): void {
    this.#source?.[Symbol.dispose]();
  }
}

const REMEDIES: Readonly<Record<Form, string>> = {
  fentry:
    "a kernel with CONFIG_DEBUG_INFO_BTF and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS; where it has them, a " +
    "security module, lockdown or a container's seccomp filter (--security-opt seccomp=unconfined) forbids it",
  kprobe: "a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS",
};
