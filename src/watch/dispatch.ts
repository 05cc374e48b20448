import type { ChangeKind, KernelEvent, Origin } from "../event.ts";
import { count } from "../metrics.ts";
import { mergeSightings, type Sighting, sight } from "./attribution.ts";
import type { Target } from "./target.ts";

/** Quiet time after which an unfinished change is looked at, in milliseconds: several ticks of the kernel's clock. */
export const QUIET = 20;
/** A writer that never pauses is looked at this often, in milliseconds. */
export const PATIENCE = 1000;
/** What is found is reported by then, in milliseconds, if what the kernel had told at that time names nobody: events need never end. */
const LIMIT = 2 * PATIENCE;

/** Time until a look is tried again that could not be recorded (disk full), in milliseconds. */
const RETRY = 5000;

/** What a look needs to know of its occasion. */
export interface Occasion {
  readonly sightings: readonly Sighting[];
  /**
   * Whether things have been quiet since the last event. Before that a missing file may be half of
   * a save (an editor that moves the old version away first), and is not to be reported yet.
   */
  readonly settled: boolean;
  /** Whether to report what is found whoever is known to have acted: no event of it is on its way any more. */
  readonly final: boolean;
  /** Whether what the kernel had told has been taken since something was found first. Events need never end. */
  readonly told?: boolean;
  /** Whether a name was told to be born, and since then neither to go nor to move. */
  readonly born?: boolean;
}

/**
 * What came of a look. `early`: there is something, but not to be reported yet. `unborn`: there is nothing yet, though
 * the kernel told of a birth. It does so before the name can be seen, and may be preempted then.
 */
export type Outcome = "line" | "same" | "early" | "unborn";

interface Pending {
  sightings: readonly Sighting[];
  /** performance.now() of the first event since the last look. */
  first: number;
  /** Of the first look that found something which is not to be reported yet: performance.now(), and as `isTold`. */
  found?: { readonly at: number; readonly isTold: () => boolean } | undefined;
  settled: boolean;
  final: boolean;
  born?: boolean;
  /** Of what is found, unless an event comes meanwhile. */
  origin: Origin;
  /** Whether the events that the kernel had told at the look before have been taken. */
  isTold: (() => boolean) | undefined;
}

/** By default of what is looked at when it has been quiet since now. */
const pendingOf = (parts: Pick<Pending, "sightings" | "origin"> & Partial<Pending>): Pending => ({
  first: performance.now(),
  settled: true,
  final: false,
  isTold: undefined,
  ...parts,
});

/** A look that could not be recorded, and is to be made again. */
interface Postponed {
  readonly sightings: readonly Sighting[];
  readonly origin: Origin;
  readonly timer: ReturnType<typeof setTimeout>;
}

type LookAt = (target: Target, occasion: Occasion, origin: Origin) => Outcome;

/**
 * Whether an event says that what was begun is finished. A process that closes a file without having
 * written to it finishes nothing: somebody else may be at work, whose events are still to come. Nor do
 * attributes: a save may go on after they are set, and to fanotify losing a name is one of them, which
 * is how a file is replaced that is removed first.
 */
function isComplete(kind: ChangeKind, sightings: readonly Sighting[]): boolean {
  if (kind === "close") return sightings.some((sighting) => sighting.acted && !sighting.reported);
  return kind === "rename";
}

const isBelow = ({ parent }: Target, directories: ReadonlySet<Target>): boolean =>
  parent !== undefined && (directories.has(parent) || isBelow(parent, directories));

/**
 * Decides when to look. Events collapse to one pending look per target, so memory is bounded by the
 * number of targets. A change that is complete (written and closed, renamed) is
 * looked at at once; any other when things have been quiet. And once more when quiet after a look at
 * once: hooks fire before the change, or a moment before it can be seen by others.
 */
export class Dispatch {
  readonly #pending = new Map<Target, Pending>();
  /** To be looked at as soon as the events that have arrived are taken. */
  readonly #ready = new Set<Target>();
  /** To be looked at when performance.now() is this; in that order. */
  readonly #waiting = new Map<Target, number>();
  /** To be looked at once more, unless something else makes that necessary before. */
  readonly #postponed = new Map<Target, Postponed>();
  readonly #look: LookAt;
  readonly #untilNow: () => () => boolean;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** @param untilNow as a Source has it */
  constructor(look: LookAt, untilNow: () => () => boolean) {
    this.#look = look;
    this.#untilNow = untilNow;
  }

  /** Takes an event that may have changed the target. */
  note(target: Target, event: KernelEvent): void {
    // who looks a name up has changed nothing: what is found then is somebody else's doing
    if (event.kind === "lookup") return this.await(target, [], "live");
    const now = performance.now();
    if (this.#pending.has(target)) count("events.collapsed");
    const pending =
      this.#pending.get(target) ?? pendingOf({ sightings: this.#resume(target)?.sightings ?? [], origin: "live" });
    pending.isTold = undefined;
    pending.origin = "live";
    pending.sightings = sight(pending.sightings, event);
    pending.final = false;
    if (event.kind === "birth") pending.born = true;
    else if (event.kind === "gone" || event.kind === "rename") pending.born = false;
    this.#pending.set(target, pending);
    // the old version that a rename replaced goes away after it
    if (event.kind === "gone" && this.#ready.has(target)) return;
    // what is never quiet is as good as settled
    pending.settled = !isComplete(event.kind, pending.sightings) || now > pending.first + PATIENCE;
    if (!pending.settled) {
      this.#waiting.delete(target);
      this.#ready.add(target);
    } else if (this.#ready.delete(target) || now + QUIET <= pending.first + PATIENCE || !this.#waiting.has(target)) {
      this.#wait(target, now);
    } // else a writer that does not pause keeps its place in the queue
    this.#schedule();
  }

  /** Takes a move of directories: a look that is to come of something below them is to know of it. */
  noteBelow(directories: ReadonlySet<Target>, event: KernelEvent): void {
    const targets = [...this.#pending.keys(), ...this.#postponed.keys()];
    for (const target of targets) if (isBelow(target, directories)) this.note(target, event);
  }

  /** Looks at a target when it has been quiet, for another reason than an event of its own. */
  await(target: Target, sightings: readonly Sighting[], origin: Origin): void {
    if (this.#pending.has(target)) return;
    const before = this.#resume(target);
    const merged = mergeSightings(before?.sightings ?? [], sightings);
    this.#pending.set(target, pendingOf({ sightings: merged, origin: before?.origin ?? origin }));
    this.#wait(target, performance.now());
    this.#schedule();
  }

  /** Looks at a target later: what it found could not be kept. */
  postpone(target: Target, sightings: readonly Sighting[], origin: Origin): void {
    this.#resume(target);
    const timer = setTimeout(() => {
      this.#postponed.delete(target);
      if (this.#pending.has(target)) return;
      this.#pending.set(target, pendingOf({ sightings, origin, final: true }));
      this.#ready.add(target);
      this.#schedule();
    }, RETRY);
    timer.unref();
    this.#postponed.set(target, { sightings, origin, timer });
  }

  /** Ends the time that something is postponed for. Returns what was. */
  #resume(target: Target): Postponed | undefined {
    const postponed = this.#postponed.get(target);
    clearTimeout(postponed?.timer);
    this.#postponed.delete(target);
    return postponed;
  }

  /** The targets that a look is to come of, and what it is to know. */
  pending(): (readonly [Target, readonly Sighting[], Origin])[] {
    const all = new Map<Target, Pick<Pending, "sightings" | "origin">>([...this.#postponed, ...this.#pending]);
    return [...all].map(([target, { sightings, origin }]) => [target, sightings, origin]);
  }

  /** Whether a look is to come. */
  has(target: Target): boolean {
    return this.#pending.has(target) || this.#postponed.has(target);
  }

  /** Forgets a target. */
  drop(target: Target): void {
    this.#resume(target);
    this.#pending.delete(target);
    this.#ready.delete(target);
    this.#waiting.delete(target);
  }

  /** Looks at everything that a look is to come of now, as if it were quiet, and at nothing any more: there is no later. */
  finish(): void {
    this.#isOver = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    const looked = new Set<Target>();
    const left = () => this.pending().filter(([target]) => !looked.has(target));
    // a look can be the reason for others
    for (let targets = left(); targets.length > 0; targets = left()) {
      for (const [target, sightings, origin] of targets) {
        looked.add(target);
        this.drop(target);
        this.#look(target, { sightings, settled: true, final: true }, origin);
      }
    }
    for (const target of looked) this.drop(target);
  }

  #run(): void {
    for (const target of [...this.#ready]) this.#runOne(target);
    const now = performance.now();
    for (const [target, due] of this.#waiting) {
      if (due > now) break;
      this.#runOne(target);
    }
    this.#schedule();
  }

  #runOne(target: Target): void {
    const pending = this.#pending.get(target);
    const now = performance.now();
    if (pending?.isTold?.() === false) return this.#wait(target, now);
    this.drop(target);
    if (pending === undefined) return;
    const { sightings, settled, origin, born = false } = pending;
    const told = pending.found?.isTold() === true;
    const final = pending.final || (told && now > (pending.found?.at ?? now) + LIMIT);
    const outcome = this.#look(
      target,
      { sightings, settled, final, ...(told && { told }), ...(born && { born }) },
      origin,
    );
    const isUnborn = outcome === "unborn";
    if (settled && outcome !== "early" && !isUnborn) return;
    this.#pending.set(target, {
      isTold: outcome === "early" ? this.#untilNow() : undefined,
      found: outcome === "early" ? (pending.found ?? { at: now, isTold: this.#untilNow() }) : undefined,
      sightings: outcome === "line" ? sightings.map((sighting) => ({ ...sighting, reported: true })) : sightings,
      first: outcome === "early" || isUnborn ? pending.first : now,
      settled: true,
      final: isUnborn ? now > pending.first + PATIENCE : settled,
      born,
      origin,
    });
    this.#wait(target, now);
  }

  #wait(target: Target, now: number): void {
    this.#waiting.delete(target);
    this.#waiting.set(target, now + QUIET);
  }

  #schedule(): void {
    if (this.#isOver) return;
    if (this.#ready.size > 0) {
      this.#immediate ??= setImmediate(() => {
        this.#immediate = undefined;
        this.#run();
      });
      return;
    }
    const [next] = this.#waiting.values();
    if (next === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      Math.max(1, Math.ceil(next - performance.now())),
    );
  }
}
