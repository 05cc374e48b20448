import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { messageOf } from "./errors.ts";
import type { KernelEvent, NodeKey } from "./event.ts";
import { statx } from "./kernel/libc.ts";
import { log } from "./log.ts";
import type { Source } from "./source/source.ts";
import { SuperBlocks } from "./watch/mounts.ts";

/** The event of a change is there within milliseconds; this is for a machine that is overloaded. Milliseconds. */
const LIMIT = 5000;
/** After a pause (SIGSTOP, a long look, a suspended machine) events and timers are due at once: the events first. */
const GRACE = 500;

/** What came of the canary's last change. */
export interface CanaryHandlers {
  /**
   * No event came: nothing of what happens to files would be seen either.
   *
   * @param since milliseconds of silence
   * @param isNew false at every further change that goes unseen
   */
  onBlind(since: number, isNew: boolean): void;
  /** Events are there again. @param blind for how long they were not, milliseconds */
  onSeeing(blind: number): void;
}

/**
 * A file that is changed at intervals, and whose event must come through the source like that of any
 * other file: from the hook, or the mark, through the ring or queue, and the thread, to here.
 */
export class Canary implements Disposable {
  readonly #source: Source;
  readonly #path: string;
  readonly #fd: number;
  #key: NodeKey | undefined;
  readonly #handlers: CanaryHandlers;
  #timer: ReturnType<typeof setInterval> | undefined;
  #limit = LIMIT;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #count = 0;
  /** performance.now() of the first change that was not seen. */
  #unseen: number | undefined;
  /** performance.now() of the last event, whatever it is about. */
  #heard = 0;
  #isBlind = false;

  /**
   * @param path the file, made if missing, and left behind: it is root's alone
   * @param interval milliseconds between two changes
   */
  constructor(source: Source, path: string, interval: number, handlers: CanaryHandlers) {
    this.#source = source;
    this.#path = path;
    rmSync(path, { force: true }); // whatever it is, it is ours to make
    this.#fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600);
    this.#watch();
    source.claim?.((key) => key === this.#key);
    this.#handlers = handlers;
    this.pace(interval);
  }

  /** Changes the file now, and then at another interval. */
  pace(interval: number): void {
    clearInterval(this.#timer);
    this.#limit = Math.min(LIMIT, interval);
    this.#timer = setInterval(() => this.#sing(), interval);
    this.#sing();
  }

  /** Whether an event is the canary's own, and nobody else's business. */
  takes({ kind, node }: KernelEvent): boolean {
    this.#heard = performance.now();
    if (node === undefined || node !== this.#key) return false;
    if (kind === "store" || kind === "dirty") return true; // beside fanotify they come by a way of their own
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    const unseen = this.#unseen ?? 0;
    const wasBlind = this.#isBlind;
    this.#isBlind = false;
    this.#unseen = undefined;
    if (wasBlind) this.#handlers.onSeeing(performance.now() - unseen);
    return true;
  }

  /** Whether a change was not seen, and none since. */
  get isBlind(): boolean {
    return this.#isBlind;
  }

  #watch(): void {
    const stat = statx(this.#fd);
    const device = new SuperBlocks().deviceOf(stat);
    this.#key = this.#source.watch({ path: this.#path, device, inode: stat.inode, as: "file", inherit: false });
  }

  #sing(): void {
    if (this.#deadline !== undefined) return; // the one before is still being waited for
    try {
      if (this.#isBlind) this.#watch(); // somebody may have taken the watch away
      writeSync(this.#fd, String(++this.#count % 10), 0);
    } catch (error) {
      return log.error(`the canary cannot be changed: ${messageOf(error)}`); // the disk is full, say
    }
    this.#unseen ??= performance.now();
    const isTold = this.#source.untilNow?.() ?? (() => true);
    this.#deadline = setTimeout(() => this.#doubt(isTold), this.#limit);
  }

  /**
   * The event is late. While others come that the kernel told before, it may be behind them.
   *
   * @param isTold whether all have come that had been told when the file was changed
   */
  #doubt(isTold: () => boolean): void {
    this.#deadline = setTimeout(() => {
      if (!isTold() && performance.now() < this.#heard + this.#limit + GRACE) return this.#doubt(isTold);
      this.#deadline = undefined;
      const isNew = !this.#isBlind;
      this.#isBlind = true;
      this.#handlers.onBlind(performance.now() - (this.#unseen ?? 0), isNew);
    }, GRACE);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    const key = this.#key;
    this.#key = undefined;
    if (key !== undefined) this.#source.unwatch(key, this.#path);
    closeSync(this.#fd);
  }
}
