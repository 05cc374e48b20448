// Kernel events, actors and targets for tests.

import type { Actor, ChangeKind, KernelEvent, NodeKey } from "../../../src/event.ts";
import type { Sighting } from "../../../src/watch/attribution.ts";
import { joinPath } from "../../../src/paths.ts";
import { Members, Target } from "../../../src/watch/target.ts";

export function actorOf(pid: number, changes: Partial<Actor["process"]> = {}): Actor {
  const process = {
    pid,
    ppid: 1,
    name: "vim",
    executable: "/usr/bin/vim",
    args: ["vim", "x"],
    start: "2026-01-01T00:00:00.000Z",
    session: 7,
    ...changes,
  };
  return { process, uid: 0, euid: 0, loginuid: undefined };
}

export function eventOf(kind: ChangeKind, time: bigint, actor?: Actor): KernelEvent {
  return { time, kind, node: undefined, entries: [], actor };
}

export const entryEvent = (kind: ChangeKind, directory: NodeKey, name: string): KernelEvent => ({
  ...eventOf(kind, 0n),
  entries: [{ directory, name }],
});

export function targetOf(path: string, parent?: Target): Target {
  if (parent === undefined) return new Target(path, undefined);
  const target = new Target(path.slice(joinPath(parent.path, "").length), parent);
  parent.members ??= new Members();
  parent.members.set(target.name, target);
  return target;
}

export function sightingOf(actor: Actor | undefined, changes: Partial<Sighting> = {}): Sighting {
  return { actor, first: 1n, last: 1n, acted: true, renamed: false, reported: false, ...changes };
}
