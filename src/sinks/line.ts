import { hostname } from "node:os";
import { version } from "../../package.json";
import { redactArgs } from "../consumers/args.ts";
import type { Difference, Fingerprint } from "../consumers/consumer.ts";
import type { Redaction } from "../consumers/redaction.ts";
import type { Actor, Origin } from "../event.ts";
import type { Sighting } from "../watch/attribution.ts";
import { toJson } from "../visible.ts";

/** What bpfink says of itself. */
export type OwnAction = "started" | "stopped" | "gap" | "blind" | "seeing" | "expected" | "reloaded" | "database";

/** Stands for the sequence number of a line that is not in the log, and has none: those begin with 1. */
export const UNLOGGED = 0;

/** Nanoseconds since the epoch, now. */
export const now = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;

/** RFC 3339 in UTC with microseconds. @param time nanoseconds since the epoch */
export function rfc3339(time: bigint): string {
  const micros = time / 1000n;
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, "0")}Z`;
}

/** What actors are described with. */
export interface Names {
  /** Name of a user id. */
  readonly userName: (uid: number) => string;
  /** For secrets on a command line. */
  readonly fingerprint: Fingerprint;
  readonly redaction?: Redaction;
}

/** A change as a line of JSON, without the newline. Keys and their order are the README's. */
export function changeLine(change: {
  readonly seq: number;
  readonly backend: string;
  readonly origin: Origin;
  readonly file: string;
  readonly difference: Difference;
  /** What it belongs to: `expected`, `package`. */
  readonly labels?: Record<string, unknown>;
  /** The processes responsible, the last one last; none when the change was not seen live. */
  readonly sightings: readonly Sighting[];
  readonly names: Names;
}): string {
  const { difference, sightings } = change;
  return toJson({
    ...head(change.seq, sightings.at(-1)?.last ?? now(), "warn", difference.message),
    action: difference.action,
    origin: change.origin,
    backend: change.backend,
    consumer: difference.consumer,
    file: change.file,
    ...difference.details,
    ...change.labels,
    ...actorKeys(sightings, change.names),
  });
}

/** A line about bpfink itself, without the newline. */
export function ownLine(own: {
  readonly seq: number;
  readonly level: "info" | "error";
  readonly action: OwnAction;
  readonly message: string;
  readonly backend: string;
  readonly details: Record<string, unknown>;
}): string {
  return toJson({
    ...head(own.seq, now(), own.level, own.message),
    action: own.action,
    backend: own.backend,
    ...own.details,
  });
}

function head(seq: number, time: bigint, level: string, message: string) {
  const number = seq === UNLOGGED ? {} : { seq };
  return { time: rfc3339(time), ...number, level, message, host: hostname(), version };
}

function actorKeys(sightings: readonly Sighting[], names: Names): Record<string, unknown> {
  const actors = sightings.map((sighting) => sighting.actor).filter((actor) => actor !== undefined);
  const last = actors.at(-1);
  return {
    ...(last === undefined ? {} : describeActor(last, names)),
    ...(actors.length > 1 ? { actors: actors.map((actor) => describeActor(actor, names)) } : {}),
    ...(sightings.some(({ hasOthers }) => hasOthers) ? { moreActors: true } : {}),
  };
}

/** Keys of who sent bpfink a signal, where that is known. */
export function senderKeys(sender: Actor | "kernel" | undefined, names: Names): Record<string, unknown> {
  if (sender === undefined) return {};
  return sender === "kernel" ? { sender } : describeActor(sender, names);
}

function describeActor(actor: Actor, { userName, fingerprint, redaction }: Names): Record<string, unknown> {
  return {
    process: { ...actor.process, args: redactArgs(actor.process.args, fingerprint, redaction) },
    processName: actor.process.name,
    user: userName(actor.uid),
    ...(actor.loginuid === undefined ? {} : { loginUser: userName(actor.loginuid) }),
    ...(actor.euid === actor.uid ? {} : { effectiveUser: userName(actor.euid) }),
  };
}
