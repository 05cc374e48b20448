import { annotate } from "./consumers/annotate.ts";
import type { Consumer, Look, State } from "./consumers/consumer.ts";
import { type Context, contextOf } from "./consumers/context.ts";
import { consumerFor } from "./consumers/registry.ts";
import { BpfinkError, ExitStatus, messageOf } from "./errors.ts";
import type { KernelEvent, Origin } from "./event.ts";
import { log } from "./log.ts";
import { joinPath } from "./paths.ts";
import { changeLine } from "./sinks/line.ts";
import type { Source } from "./source/source.ts";
import type { StateStore } from "./state/store.ts";
import { isAttributed, mergeSightings, responsible } from "./watch/attribution.ts";
import { Dispatch, type Occasion, type Outcome } from "./watch/dispatch.ts";
import { AT_ONCE, LongReads, type Purpose } from "./watch/long-reads.ts";
import { beginLook, lookAtLink } from "./watch/look.ts";
import { membersOf } from "./watch/members.ts";
import { pamServices } from "./watch/pam.ts";
import { Reading } from "./watch/reading.ts";
import type { Selection } from "./watch/selection.ts";
import type { Target } from "./watch/target.ts";
import { userName } from "./watch/users.ts";
import type { Walk } from "./watch/walk.ts";
import { WatchSet } from "./watch/watchset.ts";

const MISSING: Look = { type: "missing" };

/** What a look at everything found. */
export interface Counts {
  /** Paths where something is. */
  watched: number;
  /** Paths that are waited for. */
  missing: number;
  /** Lines made. */
  changed: number;
  /** Of the paths, those that nothing was known of: they are the baseline now. */
  added: number;
  /** Paths that could not be looked at. */
  failed: number;
}

const NOTHING: Counts = { watched: 0, missing: 0, changed: 0, added: 0, failed: 0 };

/**
 * From event to line: which targets an event concerns (WatchSet), when to look (Dispatch), what is
 * there (look), what changed (the consumer), and the new state and its line into the store at once.
 */
export class Monitor {
  readonly #store: StateStore;
  readonly #source: Source;
  readonly #selection: Selection;
  readonly #watchSet: WatchSet;
  readonly #dispatch: Dispatch;
  readonly #context: Context;
  readonly #longReads: LongReads | undefined;
  readonly #onLine: () => void;
  readonly #onLook: () => void;
  /** Every target by its path. */
  readonly #targets = new Map<string, Target>();
  readonly #members = new Map<Target, Set<Target>>();
  /** Of directories with members, at the last look. */
  readonly #inodes = new Map<Target, string | undefined>();
  #counts: Counts = { ...NOTHING };

  /**
   * @param onLine called when there is a new line in the store
   * @param onLook called at each look
   * @param inTurns a long file is read between events, and its line comes later; else at once
   */
  constructor(parts: {
    readonly store: StateStore;
    readonly source: Source;
    readonly selection: Selection;
    readonly root: string;
    readonly onLine: () => void;
    readonly onLook?: () => void;
    readonly inTurns?: boolean;
  }) {
    this.#store = parts.store;
    this.#source = parts.source;
    this.#selection = parts.selection;
    this.#context = contextOf(
      () => pamServices(parts.root),
      () => performance.now(),
    );
    this.#onLine = parts.onLine;
    this.#onLook = parts.onLook ?? (() => {});
    this.#longReads =
      parts.inTurns === true
        ? new LongReads({
            done: (target, purpose, look) => this.#wasRead(target, purpose, look),
            failed: (target, error) => this.#failed(target, error),
          })
        : undefined;
    this.#watchSet = new WatchSet(parts.source, parts.root);
    this.#dispatch = new Dispatch((target, occasion, origin) => this.#look(target, origin, occasion));
  }

  /**
   * Looks at everything: what is known in the database is compared with it, what is not becomes the
   * baseline. Watches are in force before the first look, so nothing that happens meanwhile is lost.
   */
  lookAtAll(origin: Origin): Counts {
    this.#counts = { ...NOTHING };
    // while events are coming, the one of what is found may be on its way
    const unseen: Occasion = { sightings: [], settled: true, final: origin === "startup" };
    this.#store.transaction(() => {
      const known = this.#store.paths();
      for (const root of this.#selection.roots) {
        this.#targets.set(root.path, root);
        this.#look(root, origin, unseen);
      }
      // members that were there at the last run and are not now
      for (const path of known) {
        if (this.#targets.has(path) || !this.#selection.includes(path)) continue;
        const root = this.#selection.roots.find((root) => path.startsWith(joinPath(root.path, "")));
        if (root !== undefined) this.#look(this.#add(path, root), origin, unseen);
      }
    });
    this.#onLine();
    return this.#counts;
  }

  /** Takes an event from the source. */
  onEvent(event: KernelEvent): void {
    const targets = this.#watchSet.targetsOf(event);
    const born = this.#born(event);
    if (targets.size + born.length === 0) return;
    if (event.actor?.process.pid === process.pid) return; // our own database may lie in a watched directory
    for (const target of targets) this.#note(target, event);
    for (const member of born) {
      this.#refresh(member); // what happens to it, and below it, follows in the next events
      this.#dispatch.note(member, event);
    }
  }

  #note(target: Target, event: KernelEvent): void {
    if (event.kind === "birth" || event.kind === "gone" || event.kind === "rename") this.#watchSet.invalidate(target);
    if (this.#watchSet.isDirect(target, event)) return this.#dispatch.note(target, event);
    // A directory on the way was born or moved. What happens below it follows in the next events, so
    // its inodes must be known by then. Who makes a directory is not who makes the file in it.
    this.#refresh(target);
    this.#dispatch.note(target, event.kind === "birth" ? { ...event, actor: undefined } : event);
  }

  #refresh(target: Target): Walk["end"] {
    try {
      return this.#watchSet.refresh(target);
    } catch (error) {
      log.debug(`${target.path}: ${messageOf(error)}`); // the look to come says it
      return undefined;
    }
  }

  /** New members of watched directories. */
  #born(event: KernelEvent): Target[] {
    return event.entries.flatMap(({ directory, name }) =>
      this.#watchSet
        .targetsAt(directory)
        .map((parent) => ({ parent, path: joinPath(parent.path, name) }))
        .filter(({ path }) => !this.#targets.has(path) && this.#selection.includes(path))
        .map(({ parent, path }) => this.#add(path, parent)),
    );
  }

  /** Looks at everything that events still wait for. */
  flush(): void {
    this.#dispatch.flush();
  }

  /**
   * Looks at one target, and at the members of a directory that are new. Returns what came of the
   * target itself.
   *
   * @param baseline what is not known yet is taken as it is, not reported as created
   */
  #look(target: Target, origin: Origin, occasion: Occasion, baseline = target.parent === undefined): Outcome {
    if (this.#targets.get(target.path) !== target) return "same"; // forgotten meanwhile
    this.#onLook();
    try {
      const end = this.#watchSet.refresh(target);
      const consumer = this.#consumerFor(target);
      const look =
        end === undefined
          ? this.#lookAtNothing(target)
          : this.#read(target, end.path, consumer, origin, occasion, baseline);
      const isAbsent = look !== "early" && (look?.type === "missing" || look?.type === "symlink");
      if (look === "early" || (isAbsent && !occasion.settled)) return "early";
      this.#counts[isAbsent ? "missing" : "watched"]++;
      if (look === undefined) return "same";
      const dropped = this.#longReads?.drop(target)?.sightings; // it was long before, or leads elsewhere now
      if (dropped !== undefined) occasion = { ...occasion, sightings: mergeSightings(dropped, occasion.sightings) };
      return this.#judge(target, consumer, look, end?.path, origin, occasion, baseline);
    } catch (error) {
      this.#failed(target, error, origin, occasion);
      return "same";
    }
  }

  /** A path that leads nowhere: nothing, or a symbolic link to it. */
  #lookAtNothing(target: Target): Look {
    const link = this.#watchSet.linkOf(target);
    return link === undefined ? MISSING : lookAtLink(link);
  }

  /** undefined: a long file, which is being read. "early": it will be, when it is quiet. */
  #read(
    target: Target,
    path: string,
    { contentLimit }: Consumer,
    origin: Origin,
    { settled, sightings }: Occasion,
    baseline: boolean,
  ): Look | undefined | "early" {
    const found = beginLook(path, contentLimit);
    if (!(found instanceof Reading)) return found;
    using reading = found;
    const look = reading.read(this.#longReads === undefined ? Infinity : AT_ONCE);
    if (look !== undefined) return look;
    if (!settled) return "early";
    this.#longReads?.begin(target, { path, contentLimit, sightings, origin, baseline });
    return undefined;
  }

  /** A long file was read to its end; the events of what is found have had their time. */
  #wasRead(target: Target, { path, sightings, origin, baseline }: Purpose, look: Look): void {
    if (this.#targets.get(target.path) !== target) return;
    const occasion: Occasion = { sightings, settled: true, final: true };
    try {
      this.#judge(target, this.#consumerFor(target), look, path, origin, occasion, baseline);
    } catch (error) {
      this.#failed(target, error, origin, occasion);
    }
  }

  #judge(
    target: Target,
    consumer: Consumer,
    look: Look,
    path: string | undefined,
    origin: Origin,
    occasion: Occasion,
    baseline: boolean,
  ): Outcome {
    const links = this.#watchSet.linkOf(target)?.texts;
    if (links !== undefined && look.type !== "missing") look = { ...look, links };
    const known = this.#store.load(target.path);
    if (known === undefined && baseline) this.#counts.added++;
    const before = known ?? (baseline ? undefined : consumer.parse(target.path, MISSING, this.#store));
    const outcome = this.#compare(target, consumer, before, look, origin, occasion);
    if (outcome === "early") {
      this.#dispatch.await(target, occasion.sightings, origin);
      return outcome;
    }
    this.#lookAtMembers(target, look, path, origin, occasion, before === undefined);
    if (look.type === "missing" && target.parent !== undefined) this.#forget(target);
    return outcome;
  }

  #failed(target: Target, error: unknown, origin: Origin = "live", occasion?: Occasion): void {
    this.#counts.failed++;
    log.error(`cannot look at ${target.path}: ${messageOf(error)}`);
    const isStore = error instanceof BpfinkError && error.status === ExitStatus.database;
    if (isStore) this.#dispatch.postpone(target, occasion?.sightings ?? [], origin);
  }

  #compare(
    target: Target,
    consumer: Consumer,
    before: State | undefined,
    look: Look,
    origin: Origin,
    occasion: Occasion,
  ): Outcome {
    if (origin === "gap" && this.#dispatch.has(target)) return "same"; // its event was not lost
    const { path } = target;
    const state = consumer.parse(path, look, this.#store);
    const found = before && consumer.compare(path, before, state);
    const difference = found && annotate(path, found, state);
    if (difference === undefined || !this.#selection.reports(path)) {
      if (JSON.stringify(before) !== JSON.stringify(state)) this.#store.baseline(path, state);
      return "same";
    }
    // a look can be faster than the event of what it finds
    if (!occasion.final && !isAttributed(occasion.sightings)) return "early";
    const sightings = responsible(occasion.sightings);
    const { backend } = this.#source;
    const names = { userName, fingerprint: this.#store.fingerprint };
    this.#store.record({
      path,
      state,
      line: (seq) => changeLine({ seq, backend, origin, file: path, difference, sightings, names }),
    });
    this.#counts.changed++;
    this.#onLine();
    return "line";
  }

  #consumerFor({ path }: Target): Consumer {
    return consumerFor(path, this.#selection.names(path), this.#context);
  }

  /**
   * Looks at the members of a directory: those that are new, those that are gone; all of them when it
   * is another directory than before, or the look is not live.
   */
  #lookAtMembers(
    directory: Target,
    look: Look,
    path: string | undefined,
    origin: Origin,
    occasion: Occasion,
    baseline: boolean,
  ): void {
    const names = look.type === "directory" && path !== undefined ? membersOf(path) : [];
    const present = new Set(names.map((name) => joinPath(directory.path, name)));
    const inode = look.type === "missing" ? undefined : look.inode;
    const isSame = this.#inodes.get(directory) === inode;
    if (names.length > 0) this.#inodes.set(directory, inode);
    else this.#inodes.delete(directory);
    for (const path of present) {
      const known = this.#targets.get(path);
      if (known !== undefined && origin === "live" && isSame) continue;
      if (known === undefined && !this.#selection.includes(path)) continue;
      this.#lookAtMember(known ?? this.#add(path, directory), origin, occasion, baseline);
    }
    for (const member of [...(this.#members.get(directory) ?? [])]) {
      if (!present.has(member.path)) this.#look(member, origin, occasion);
    }
  }

  /** A file that was met by chance may be half written: it is looked at when it has been quiet. */
  #lookAtMember(member: Target, origin: Origin, occasion: Occasion, baseline: boolean): void {
    const isFile = origin === "live" && this.#refresh(member)?.stat.type === "file";
    if (!isFile) return void this.#look(member, origin, occasion, baseline);
    this.#dispatch.await(
      member,
      occasion.sightings.filter((sighting) => sighting.renamed),
      origin,
    );
  }

  #add(path: string, parent: Target): Target {
    const target: Target = { path, parent };
    this.#targets.set(path, target);
    const members = this.#members.get(parent);
    if (members === undefined) this.#members.set(parent, new Set([target]));
    else members.add(target);
    return target;
  }

  /** Forgets a member that is gone, and its state: it was reported, and a new one will be a creation. */
  #forget(target: Target): void {
    this.#watchSet.remove(target);
    this.#dispatch.drop(target);
    this.#longReads?.drop(target);
    this.#store.forget(target.path);
    this.#targets.delete(target.path);
    this.#members.delete(target);
    this.#inodes.delete(target);
    const siblings = target.parent && this.#members.get(target.parent);
    siblings?.delete(target);
  }
}
