import { showStatus } from "./log.ts";

/** What takes longer shows how far it is, milliseconds. */
const DELAY = 300;
/** Milliseconds between two pictures. */
const INTERVAL = 100;
const WIDTH = 30;

/** Of work in steps, on stderr if that is a terminal. */
export interface ProgressBar extends Disposable {
  step(): void;
  /** Takes it off the terminal until the next step: something else is to be printed. */
  clear(): void;
}

/** @param total steps that are expected; there may be more in the end */
export function progressBar(label: string, total: number): ProgressBar {
  let done = 0;
  let next = performance.now() + DELAY;
  const clear = () => showStatus("");
  return {
    step() {
      done++;
      if (performance.now() < next) return;
      next = performance.now() + INTERVAL;
      showStatus(picture(label, done, total));
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

/** `checking [=====     ] 5000 of 10000`, or the count alone when there was no guess or it was wrong. */
export function picture(label: string, done: number, total: number): string {
  if (done > total) return `${label} ${done}`;
  const filled = Math.floor((WIDTH * done) / total);
  return `${label} [${"=".repeat(filled).padEnd(WIDTH)}] ${done} of ${total}`;
}
