import { annotate } from "./consumers/annotate.ts";
import type { Consumer, Difference, Keys, Look, State } from "./consumers/consumer.ts";
import { type Saved, withOtherFiles } from "./consumers/users/beside.ts";
import { isMissing } from "./consumers/facts.ts";
import { messageOf } from "./errors.ts";
import type { Origin } from "./event.ts";
import { HeldChanges, type Moment } from "./labels/held.ts";
import type { Label, Labeller } from "./labels/labels.ts";
import { log } from "./log.ts";
import { count, noteLatency } from "./metrics.ts";
import type { MonitorParts } from "./monitor-parts.ts";
import { changeLine, now } from "./sinks/line.ts";
import type { Source } from "./source/source.ts";
import type { StateStore } from "./state/store.ts";
import { isAttributed, responsible, type Sighting } from "./watch/attribution.ts";
import type { Cover } from "./watch/covers.ts";
import type { Occasion, Outcome } from "./watch/dispatch.ts";
import type { Purpose } from "./watch/long-reads.ts";
import { userName } from "./watch/users.ts";

export const MISSING: Look = { type: "missing" };
const UNLABELLED: Label = { keys: {}, isOpen: false };

/** What a look found, and what is known of the path. */
export interface Finding {
  readonly path: string;
  readonly consumer: Consumer;
  /** Undefined when what is found is to be taken as it is. */
  readonly before: State | undefined;
  readonly look: Look;
  /** What was read; free of symbolic links. undefined when nothing is there. */
  readonly end: string | undefined;
  readonly origin: Origin;
  readonly occasion: Occasion;
  /** Whether a line is made of a difference. */
  readonly isReported: boolean;
  /** A rename took it away; whether it is reported there, and what is known goes with it. */
  readonly departure:
    { readonly to: string | undefined; readonly inherits: boolean; readonly isReported: boolean } | undefined;
  /** Something was mounted over it, or unmounted, and which of the two that makes it. */
  readonly cover: Pick<Cover, "action" | "mount" | "isTop"> | undefined;
}

/** Compares what was found with what is known, and puts the new state and the line of the difference into the store. */
export class Reporter {
  readonly #store: StateStore;
  readonly #keys: Keys;
  readonly #source: Source;
  readonly #labels: Labeller;
  readonly #held: HeldChanges;
  readonly #saved: Saved;

  /** @param keyFiles the files that hold users' SSH keys */
  constructor(parts: MonitorParts, keys: Keys, keyFiles: Saved["keyFiles"]) {
    this.#saved = { state: (path) => this.known(path), keyFiles };
    this.#store = parts.store;
    this.#keys = keys;
    this.#source = parts.source;
    this.#labels = parts.labels ?? (() => UNLABELLED);
    this.#held = parts.held ?? new HeldChanges(parts.onLine);
  }

  /** What a path is known as, as far as it was looked at. */
  known(path: string): State | undefined {
    return this.#held.state(path) ?? this.#store.load(path);
  }

  /** Makes the lines that wait for something: there is no later. */
  stop(): void {
    this.#held.releaseAll();
  }

  report(finding: Finding): Outcome {
    const { path, consumer, before, look, origin, occasion, departure } = finding;
    const state = consumer.parse(path, look, this.#keys);
    // what rpm unpacked, and nobody was told of yet, is told in its place
    if (departure?.isReported === true && this.#held.supersede(path, departure.to)) return "same";
    const found = before && compared(consumer, path, before, state);
    const content = found && annotate(path, withOtherFiles(path, found, state, this.#saved), state);
    const difference = before && nameDifference(content, finding);
    if (difference === undefined || !finding.isReported) {
      if (JSON.stringify(before) !== JSON.stringify(state)) {
        this.#held.release(path);
        this.#store.baseline(path, state);
      }
      if (before !== undefined) this.#inherit(departure, before);
      return "same";
    }
    // a look can be faster than the event of what it finds, or of what the last of several did
    const isKnown = isAttributed(occasion.sightings) && (occasion.told === true || this.#isTold);
    if (!occasion.final && !isKnown) return "early";
    this.#held.release(path); // one change is told after the other, even if it undoes it
    const sightings = this.#responsible(occasion.sightings);
    const names = { userName, ...this.#keys };
    const file = departure?.to ?? path;
    const { backend } = this.#source;
    const digest = look.type === "file" ? look.digest : undefined;
    const labelled = { path: file, file: finding.end, digest, sightings };
    const tell = (moment: Moment): boolean => {
      const labels = this.#labels(labelled, moment === "waited");
      if (labels.isOpen && moment === "known") return false;
      this.#store.transaction(() => {
        if (before !== undefined) this.#inherit(departure, before);
        this.#store.record({
          path,
          state,
          line: (seq) => changeLine({ seq, backend, origin, file, difference, labels: labels.keys, sightings, names }),
        });
      });
      count(`changes.${difference.consumer}`);
      count("log_level.warn");
      const seen = origin === "live" ? sightings.at(-1)?.last : undefined;
      if (seen !== undefined) noteLatency(Number(now() - seen) / 1e6);
      return true;
    };
    if (!tell(finding.cover === undefined ? "known" : "now")) this.#held.hold(path, { state, tell });
    return "line";
  }

  /** Tells of a new file, as it was seen, that went before its end was read. Returns whether there was one to tell of. */
  reportUnread(path: string, consumer: Consumer, purpose: Purpose, isReported: boolean): boolean {
    const { seen, sightings, origin, baseline } = purpose;
    const before = this.known(path) ?? (baseline ? undefined : consumer.parse(path, MISSING, this.#keys));
    if (seen === undefined || before === undefined || !isMissing(before)) return false;
    const occasion: Occasion = { sightings, settled: true, final: true };
    const gone = { end: undefined, departure: undefined, cover: undefined };
    return this.report({ path, consumer, before, look: seen, origin, occasion, isReported, ...gone }) === "line";
  }

  /** Whether everything that the kernel has told was taken. */
  get #isTold(): boolean {
    return this.#source.untilNow?.()() ?? true;
  }

  /** Who only had the file open is named if nobody else can have been it. */
  #responsible(sightings: readonly Sighting[]): readonly Sighting[] {
    const named = responsible(sightings);
    const isDoubtful = named.length > 0 && !named.some(({ acted }) => acted);
    return isDoubtful && this.#source.hasLost?.() === true ? [] : named;
  }

  /** What is known of a file goes with it to its new path. */
  #inherit(departure: Finding["departure"], before: State): void {
    if (departure?.to !== undefined && departure.inherits) this.#store.baseline(departure.to, before);
  }
}

/** A state that has the wrong shape was written by somebody else: that hides no change. */
function compared(consumer: Consumer, path: string, before: State, state: State): Difference | undefined {
  try {
    return consumer.compare(path, before, state);
  } catch (error) {
    log.error(`the saved state of ${path} cannot be compared with: ${messageOf(error)}`);
    return consumer.compare(path, { consumer: consumer.name === "generic" ? "diff" : "generic" }, state);
  }
}

/** The consumer's difference, by the name of what brought it about. */
function nameDifference(content: Difference | undefined, finding: Finding): Difference | undefined {
  const { path, consumer, departure, cover } = finding;
  if (cover !== undefined) {
    if (content === undefined && !cover.isTop) return undefined;
    const { point, root, type, source } = cover.mount;
    const details = { ...content?.details, mount: { point, root, type, source } };
    return {
      consumer: consumer.name,
      ...content,
      action: cover.action,
      message: cover.action === "covered" ? "file covered by a mount" : "file uncovered by an umount",
      details,
    };
  }
  if (departure === undefined || content?.action !== "deleted") return content;
  const { to, inherits } = departure;
  const previous = to === undefined ? {} : { previous: path };
  // what went is told where it went out of sight
  const details = inherits ? previous : { ...previous, ...content.details };
  return { ...content, action: "moved", message: "file moved", details };
}
