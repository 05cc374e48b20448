import { QUIET } from "./dispatch.ts";
import { type MountChanges, MountTable } from "./mount-table.ts";

/** How often the kernel is asked whether there were changes, in milliseconds: 5 system calls of 1 µs a second. */
const PERIOD = 200;

/** Tells of mounts and umounts in our own mount namespace: at once if the source tells of them, else within PERIOD. */
export class MountWatch implements Disposable {
  readonly #table = new MountTable();
  readonly #onChanges: (changes: MountChanges) => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(onChanges: (changes: MountChanges) => void) {
    this.#onChanges = onChanges;
    this.#timer = setInterval(() => this.check(), PERIOD);
    this.#timer.unref();
  }

  /** An event of kind "mount" came: maybe before what it tells of. */
  expect(): void {
    this.check();
    setTimeout(() => this.check(), QUIET).unref();
  }

  /** Asks now. */
  check(): void {
    const changes = this.#table.changes();
    if (changes !== undefined) this.#onChanges(changes);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#table[Symbol.dispose]();
  }
}
