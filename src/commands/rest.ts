import { forgetCode } from "../kernel/code-pages.ts";

/** So many looks leave what is worth collecting: it takes some 50 ms where 100,000 files are watched. */
const BURST = 100;
/** After the last look, milliseconds. */
const QUIET = 3000;
/** Where there is no quiet, milliseconds from one time to the next. */
const LONGEST = 60_000;

/** Gives back memory when the work that needed it is done: looks at very many files leave so much that it would stay for long. */
export class Rest implements Disposable {
  readonly #giveBack: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #looks = 0;
  /** performance.now() */
  #lastLook = 0;
  #lastRest = 0;

  constructor(giveBack = everything) {
    this.#giveBack = giveBack;
    this.#timer = setInterval(() => this.check(performance.now()), 1000);
    this.#timer.unref();
  }

  /** To be called at each look. */
  note(now = performance.now()): void {
    this.#looks++;
    this.#lastLook = now;
  }

  check(now: number): void {
    if (this.#looks < BURST || (now - this.#lastLook < QUIET && now - this.#lastRest < LONGEST)) return;
    this.#looks = 0;
    this.#lastRest = now;
    this.#giveBack();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function everything(): void {
  Bun.gc(true);
  forgetCode();
}
