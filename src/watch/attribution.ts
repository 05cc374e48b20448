import type { Actor, ChangeKind, KernelEvent } from "../event.ts";

/** One process seen to have acted on one target since the last line about it. */
export interface Sighting {
  readonly actor: Actor | undefined;
  /** Of the first and the last thing it did, nanoseconds since the epoch. */
  readonly first: bigint;
  readonly last: bigint;
  /** Whether it did more than close the file, which a process that wrote nothing does too. */
  readonly acted: boolean;
  /** Whether it moved or replaced a name, and with a directory all that is below. */
  readonly renamed: boolean;
  /** Whether a line has named it already. */
  readonly reported: boolean;
  /** There are others that acted, and were given up. */
  readonly hasOthers?: true;
}

/** More processes than this between two looks are not all named. */
const MAX_SIGHTINGS = 16;

/** Whether somebody is known to have acted since the last line. */
export function isAttributed(sightings: readonly Sighting[]): boolean {
  return sightings.some((sighting) => sighting.acted && !sighting.reported && sighting.actor !== undefined);
}

/** Adds an event to the sightings, one per process, ordered by the last thing done. */
export function sight(sightings: readonly Sighting[], event: KernelEvent): Sighting[] {
  const same = sightings.find((sighting) => sameActor(sighting.actor, event.actor) && !sighting.reported);
  // beside fanotify's queue there is a ring, and one may be read before the other
  const isNews = same === undefined || event.time >= same.last;
  const sighting: Sighting = {
    // whoever it was that opened the file, a process may be another user when it writes
    actor:
      same?.acted === false && isAct(event.kind) ? better(event.actor, same.actor) : better(same?.actor, event.actor),
    first: same === undefined || event.time < same.first ? event.time : same.first,
    last: isNews ? event.time : same.last,
    acted: same?.acted === true || isAct(event.kind),
    renamed: same?.renamed === true || event.kind === "rename",
    reported: false,
    ...(same?.hasOthers && { hasOthers: true }),
  };
  const all = isNews
    ? [...sightings.filter((other) => other !== same), sighting].sort(byLast)
    : sightings.map((other) => (other === same ? sighting : other));
  return all.length > MAX_SIGHTINGS ? withoutOne(all) : all;
}

const byLast = (a: Sighting, b: Sighting): number => (a.last < b.last ? -1 : a.last > b.last ? 1 : 0);

/** The sightings of two looks that became one, one per process. */
export function mergeSightings(before: readonly Sighting[], after: readonly Sighting[]): Sighting[] {
  const merged = after.map((sighting) => {
    const same = before.find(({ actor }) => sameActor(actor, sighting.actor));
    if (same === undefined) return sighting;
    const { first, acted, renamed } = same;
    return {
      ...sighting,
      actor: better(same.actor, sighting.actor),
      first,
      acted: sighting.acted || acted,
      renamed: sighting.renamed || renamed,
    };
  });
  const others = before.filter(({ actor }) => !after.some((sighting) => sameActor(actor, sighting.actor)));
  let all = [...others, ...merged];
  while (all.length > MAX_SIGHTINGS) all = withoutOne(all);
  return all;
}

/** Of too many sightings all but one; the last remembers that one, if it would have to be named. */
function withoutOne(sightings: readonly Sighting[]): Sighting[] {
  const dropped = leastTelling(sightings);
  const all = sightings.filter((other) => other !== dropped);
  const isMissed = dropped?.hasOthers === true || (dropped?.acted === true && !dropped.reported);
  return isMissed ? [...all.slice(0, -1), { ...all.at(-1)!, hasOthers: true }] : all;
}

/** The one to give up: named already, else one that only closed the file, else the oldest. */
function leastTelling(sightings: readonly Sighting[]): Sighting | undefined {
  return (
    sightings.find((sighting) => sighting.reported) ?? sightings.find((sighting) => !sighting.acted) ?? sightings[0]
  );
}

/**
 * Those to name in a line: the processes that acted since the last line; else those that only
 * closed the file; else, when a look finds more of what was reported already, the same again.
 */
export function responsible(sightings: readonly Sighting[]): readonly Sighting[] {
  const fresh = sightings.filter((sighting) => !sighting.reported);
  const acted = fresh.filter((sighting) => sighting.acted);
  return acted.length > 0 ? acted : fresh.length > 0 ? fresh : sightings;
}

/** Who merely closed the file, or had it mapped, may have changed nothing; what became dirty was written by somebody. */
const isAct = (kind: ChangeKind): boolean => kind !== "close" && kind !== "dirty";

/** Start times in /proc are in ticks of 10 ms; a number is not given to another process within that. */
const SAME_START = 20;

/** A process that is ending has no memory any more, and so no executable: its mappings and files go after that. */
const isSameExecutable = (a: string, b: string): boolean => a === b || a === "" || b === "" || named(a) === named(b);

/** /proc/PID/exe says so of one that was unlinked, a program in the kernel does not (proc_pid_exe(5)). */
const named = (executable: string): string => executable.replace(/ \(deleted\)$/, "");

/** Of two things known of one process: what was read first, unless the process was ending then. */
function better(before: Actor | undefined, after: Actor | undefined): Actor | undefined {
  return before === undefined || (before.process.executable === "" && after?.process.executable !== "")
    ? after
    : before;
}

function sameActor(a: Actor | undefined, b: Actor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSameStart =
    a.process.start === b.process.start ||
    Math.abs(Date.parse(a.process.start) - Date.parse(b.process.start)) <= SAME_START;
  return a.process.pid === b.process.pid && isSameStart && isSameExecutable(a.process.executable, b.process.executable);
}
