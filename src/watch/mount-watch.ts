import type { KernelEvent } from "../event.ts";
import { QUIET } from "./dispatch.ts";
import { type MountChanges, MountTable } from "./mount-table.ts";

/** How often the kernel is asked whether there were changes, in milliseconds: 5 system calls of 1 µs a second. */
const PERIOD = 200;
/** An event of the source is about changes that are found this much later, in milliseconds. */
const RELEVANT = 1000;

/** Tells of mounts and umounts in our own mount namespace: at once if the source tells of them, else within PERIOD. */
export class MountWatch implements Disposable {
  readonly #table = new MountTable();
  readonly #onChanges: (changes: MountChanges, event: KernelEvent | undefined) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #event: KernelEvent | undefined;
  #eventCame = 0;

  /** @param onChanges gets the event that told of them, if one did */
  constructor(onChanges: (changes: MountChanges, event: KernelEvent | undefined) => void) {
    this.#onChanges = onChanges;
    this.#timer = setInterval(() => this.check(), PERIOD);
    this.#timer.unref();
  }

  /** Takes an event of kind "mount", which may come before what it tells of, and from any namespace. */
  note(event: KernelEvent): void {
    this.#event = event;
    this.#eventCame = performance.now();
    this.check();
    setTimeout(() => this.check(), QUIET).unref();
  }

  /** Asks now: before a look, so that what a mount changed is not taken for something else. */
  check(): void {
    const changes = this.#table.changes();
    if (changes === undefined) return;
    this.#onChanges(changes, performance.now() < this.#eventCame + RELEVANT ? this.#event : undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#table[Symbol.dispose]();
  }
}
