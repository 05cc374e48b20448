import { mendAll } from "../kernel/load.ts";
import type { SourceHandlers } from "./source.ts";

const BACK = "they are attached again: look for who traced bpfink";
const GONE = "start bpfink again, and look for who traced it";

/** Watches over the programs of all BPF objects: who may trace bpfink can detach them. */
export class DetachWatch {
  readonly #handlers: Pick<SourceHandlers, "onBlind" | "onSeeing">;
  readonly #mend: typeof mendAll;
  #told: string | undefined;

  constructor(handlers: Pick<SourceHandlers, "onBlind" | "onSeeing">, mend = mendAll) {
    this.#handlers = handlers;
    this.#mend = mend;
  }

  /** Attaches again what was detached, and tells of it; and when all was found attached. To be called every second. */
  check(): void {
    const detached = this.#mend();
    const names = detached.map(({ name }) => name).join(", ");
    const reason = names === "" ? undefined : `BPF programs were detached from outside (${names})`;
    if (reason === this.#told) return;
    if (this.#told !== undefined) this.#handlers.onSeeing?.(this.#told);
    if (reason !== undefined) this.#handlers.onBlind?.(reason, detached.every(({ isBack }) => isBack) ? BACK : GONE);
    this.#told = reason;
  }
}
