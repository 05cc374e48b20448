import { Canary } from "../canary.ts";
import { messageOf } from "../errors.ts";
import type { KernelEvent } from "../event.ts";
import { log, setLogLevel } from "../log.ts";
import type { Options } from "../options.ts";
import type { OwnAction } from "../sinks/line.ts";
import type { Source } from "../source/source.ts";
import { MEMORY } from "../state/open.ts";
import type { Store } from "../state/store.ts";
import { lineFormat } from "./format.ts";
import { retentionOf } from "./store.ts";
import { startTelemetry, type Subjects } from "./telemetry.ts";

/** Lines are dropped when others are delivered; this is for when there are none. In milliseconds. */
const PRUNE_INTERVAL = 3_600_000;

/** Makes a line about bpfink itself. */
export type Say = (
  level: "info" | "error",
  action: OwnAction,
  message: string,
  details: Record<string, unknown>,
) => void;

/** What the parts that options adjust are made of. */
export interface Parts {
  readonly store: Store;
  /** The canary's own share. */
  readonly source: Source;
  readonly subjects: Subjects;
  readonly rescan: (origin: "gap" | "rescan", anew?: boolean) => unknown;
  readonly say: Say;
}

/**
 * What options can change while bpfink watches, beside what is watched: how much is said, how lines are printed and
 * how long they are kept, the metrics, the periodic look, the canary.
 */
export class Adjustable implements Disposable {
  readonly #parts: Parts;
  #options: Options;
  #format: (line: string) => string;
  #telemetry: Disposable;
  #rescans: ReturnType<typeof setInterval> | undefined;
  #pruning: ReturnType<typeof setTimeout> | undefined;
  #canary: Canary | undefined;

  constructor(options: Options, parts: Parts) {
    this.#parts = parts;
    this.#options = options;
    this.#format = lineFormat(options);
    this.#telemetry = startTelemetry(options, parts.subjects);
    this.#pace();
    this.#prune();
  }

  /** How a line is printed. */
  readonly format = (line: string): string => this.#format(line);

  /** Whether an event is the canary's own. */
  takes(event: KernelEvent): boolean {
    return this.#canary?.takes(event) === true;
  }

  /** From now on what comes to be seen is watched over. */
  startCanary(): void {
    const { canary, database } = this.#options;
    if (canary === 0 || database === MEMORY) return;
    this.#canary = openCanary(database, canary * 1000, this.#parts, () => {
      if (this.#options.canary === 0) this.#endCanary();
    });
  }

  /** As these options have it from now on. */
  apply(options: Options): void {
    const before = this.#options;
    this.#options = options;
    setLogLevel(options.logLevel);
    this.#format = lineFormat(options);
    this.#telemetry[Symbol.dispose]();
    this.#telemetry = startTelemetry(options, this.#parts.subjects);
    if (options.rescan !== before.rescan) this.#pace();
    this.#parts.store.retain(retentionOf(options));
    this.#prune();
    if (options.canary === before.canary) return;
    if (options.canary > 0 && this.#canary !== undefined) return this.#canary.pace(options.canary * 1000);
    // who was told of blindness is told of its end, and what is not seen is found meanwhile
    if (this.#canary?.isBlind === true) return log.warn("no events come: the canary goes on until they do");
    this.#endCanary();
    this.startCanary();
  }

  #endCanary(): void {
    this.#canary?.[Symbol.dispose]();
    this.#canary = undefined;
  }

  #pace(): void {
    clearInterval(this.#rescans);
    const { rescan } = this.#options;
    if (rescan > 0) this.#rescans = setInterval(() => void this.#parts.rescan("rescan"), rescan);
  }

  /** Drops old lines now and once an hour, in steps between which events are taken. */
  #prune(): void {
    clearTimeout(this.#pruning);
    let more = false;
    logged(() => (more = this.#parts.store.prune()));
    this.#pruning = setTimeout(() => this.#prune(), more ? 10 : PRUNE_INTERVAL);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#rescans);
    clearTimeout(this.#pruning);
    this.#endCanary();
    this.#telemetry[Symbol.dispose]();
  }
}

/** undefined, said on stderr, where there is no place for it. */
function openCanary(
  database: string,
  interval: number,
  { source, say, rescan }: Parts,
  onSeen: () => void,
): Canary | undefined {
  try {
    return new Canary(source, `${database}-canary`, interval, {
      onBlind: (since, isNew) => {
        if (isNew) say("error", "blind", "no events come: changes are not seen", { silent: Math.round(since) / 1000 });
        rescan("gap", true); // so that changes are found late, and not never; fanotify's marks may have been taken away
      },
      onSeeing: (blind) => {
        say("info", "seeing", "events come again", { blind: Math.round(blind) / 1000 });
        rescan("gap");
        onSeen();
      },
    });
  } catch (error) {
    log.warn(`no canary, so nobody says when events cease to come: ${messageOf(error)}`);
    return undefined;
  }
}

/** Does what may fail without ending the watch: the database's disk is full, say. */
export function logged<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    log.error(messageOf(error));
    return undefined;
  }
}
