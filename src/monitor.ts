import type { Consumer, Keys, Look } from "./consumers/consumer.ts";
import { type Context, contextOf } from "./consumers/context.ts";
import { isMissing } from "./consumers/facts.ts";
import { chooseConsumer } from "./consumers/named.ts";
import { BpfinkError, ExitStatus, messageOf } from "./errors.ts";
import type { KernelEvent, Origin } from "./event.ts";
import { Follow } from "./follow.ts";
import { log } from "./log.ts";
import { count } from "./metrics.ts";
import type { MonitorParts } from "./monitor-parts.ts";
import { joinPath } from "./paths.ts";
import { type Finding, MISSING, Reporter } from "./reporter.ts";
import type { StateStore } from "./state/store.ts";
import { mergeSightings, sight } from "./watch/attribution.ts";
import { type Counts, NOTHING } from "./watch/counts.ts";
import { Covers } from "./watch/covers.ts";
import { Dispatch, type Occasion, type Outcome } from "./watch/dispatch.ts";
import { HotFiles } from "./watch/hot.ts";
import { AT_ONCE, LongReads, type Purpose } from "./watch/long-reads.ts";
import { lookAtLink } from "./watch/look.ts";
import { membersOf } from "./watch/members.ts";
import type { MountChanges } from "./watch/mount-table.ts";
import { Moves } from "./watch/moves.ts";
import { pamServices } from "./watch/pam.ts";
import { Rescans } from "./watch/rescans.ts";
import type { Selection } from "./watch/selection.ts";
import { takeOver, type Work } from "./watch/take-over.ts";
import type { Target } from "./watch/target.ts";
import { Tree } from "./watch/tree.ts";
import type { Walk } from "./watch/walk.ts";
import { WatchSet } from "./watch/watchset.ts";

/** While events are coming, the one of what is found may be on its way. */
const UNSEEN: Occasion = { sightings: [], settled: true, final: false };

/**
 * From event to line: which targets an event concerns (WatchSet), when to look (Dispatch), what is
 * there (look), what changed (the consumer), and the new state and its line into the store at once.
 */
export class Monitor {
  readonly #store: StateStore;
  readonly #selection: Selection;
  readonly #watchSet: WatchSet;
  readonly #dispatch: Dispatch;
  readonly #reporter: Reporter;
  readonly #context: Context;
  readonly #keys: Keys;
  readonly #longReads: LongReads;
  readonly #onLine: () => void;
  readonly #onLook: () => void;
  readonly #tree: Tree;
  readonly #follow: Follow;
  readonly #rescans: Rescans;
  readonly #hot = new HotFiles((target, sightings) => this.#dispatch.await(target, sightings, "live"));
  readonly #moves = new Moves();
  readonly #covers: Covers;
  #counts: Counts = { ...NOTHING };

  constructor(parts: MonitorParts) {
    this.#store = parts.store;
    this.#selection = parts.selection;
    this.#tree = new Tree(parts.selection.roots);
    const { fingerprint, keyedDigest } = parts.store;
    this.#keys = { fingerprint, keyedDigest, ...(parts.redaction && { redaction: parts.redaction }) };
    const pam = () => pamServices(parts.root);
    const owners = (path: string) => parts.selection.owners?.(path) ?? [];
    const keyFiles = () => parts.selection.roots.filter((path) => owners(path).length > 0);
    const untilNow = () => parts.source.untilNow?.() ?? (() => true);
    this.#reporter = new Reporter(parts, this.#keys, keyFiles);
    this.#context = { ...contextOf(pam, () => performance.now()), owners };
    this.#onLine = parts.onLine;
    this.#onLook = parts.onLook ?? (() => {});
    this.#longReads = new LongReads({
      atOnce: parts.inTurns === true ? AT_ONCE : Infinity,
      done: (target, purpose, look) => this.#wasRead(target, purpose, look),
      failed: (target, error) => this.#failed(target, error),
    });
    const { root, source, checkMounts, selection } = parts;
    this.#covers = new Covers(source.tellsOfMounts === true, untilNow, checkMounts);
    this.#watchSet = new WatchSet(source, root, selection.exclusions, checkMounts);
    this.#rescans = new Rescans(this.#tree, this.#watchSet, (target, origin) => this.#look(target, origin, UNSEEN));
    this.#dispatch = new Dispatch((target, occasion, origin) => this.#look(target, origin, occasion), untilNow);
    this.#follow = new Follow({
      ...{ store: this.#store, selection: this.#selection, tree: this.#tree, dispatch: this.#dispatch },
      watch: (target) => void this.#refresh(target),
      unwatch: (target) => this.#forget(target, true),
      ...{ consumerFor: (path) => this.#consumerFor(path), context: this.#context },
      missing: (path) => this.#consumerFor(path).parse(path, MISSING, this.#store),
    });
  }

  /**
   * Looks at everything: what is known in the database is compared with it, what is not becomes the
   * baseline. Watches are in force before the first look, so nothing that happens meanwhile is lost.
   */
  lookAtAll(origin: "startup" | "rescan" = "startup"): Counts {
    this.#counts = { ...NOTHING };
    const unseen = { ...UNSEEN, final: origin === "startup" };
    this.#store.transaction(() => {
      this.#follow.begin();
      for (const root of this.#tree.roots) this.#look(root, origin, unseen);
      // members that were there at the last run and are not now
      for (const path of this.#store.paths((path) => this.#tree.find(path) === undefined)) {
        if (this.#tree.find(path) !== undefined || !this.#selection.includes(path)) continue;
        const root = this.#tree.roots.find((root) => path.startsWith(joinPath(root.path, "")));
        if (root === undefined) continue;
        this.#look(this.#tree.add(root, path.slice(joinPath(root.path, "").length)), origin, unseen);
      }
    });
    this.#onLine();
    return this.#counts;
  }

  /** How many paths are watched, there or not. */
  get size(): number {
    return [...this.#tree].length;
  }

  /** Ends a monitor that watched something else, and goes on where it was. lookAtAll() comes first. */
  succeed(before: Monitor): void {
    before.#rescans.stop();
    takeOver(before.#work(), this.#work());
  }

  #work(): Work {
    return { tree: this.#tree, watchSet: this.#watchSet, dispatch: this.#dispatch, longReads: this.#longReads };
  }

  /** Takes an event from the source. */
  onEvent(event: KernelEvent): void {
    if (event.kind === "freed") return this.#freed(event);
    const targets = this.#watchSet.targetsOf(event);
    if (event.kind === "mount") return this.#covers.note(targets, event);
    const born = this.#born(event);
    if (targets.size + born.length === 0) return;
    count("events.seen");
    if (event.actor?.process.pid === process.pid) return; // our own database may lie in a watched directory
    if (event.kind === "rename") {
      this.#moves.note(event, targets, this.#watchSet);
      this.#dispatch.noteBelow(targets, event);
    }
    for (const target of targets) this.#note(target, event);
    for (const member of born) {
      this.#refresh(member); // what happens to it, and below it, follows in the next events
      this.#dispatch.note(member, event);
    }
  }

  /** Takes changes of the mount table. The event that tells whose doing they are may come before or after. */
  onMounts(changes: MountChanges): void {
    for (const target of this.#covers.take(changes, this.#watchSet)) this.#dispatch.await(target, [], "live");
  }

  /** Most were looked at since they lost their name, or are about to be. */
  #freed({ node }: KernelEvent): void {
    if (node === undefined) return;
    for (const target of this.#watchSet.release(node)) this.#dispatch.await(target, [], "live");
  }

  #note(target: Target, event: KernelEvent): void {
    const isDirect = event.kind !== "lookup" && this.#watchSet.isDirect(target, event);
    if (!isDirect && this.#watchSet.isKnown(target, event)) return this.#dispatch.await(target, [], "live");
    if (["birth", "lookup", "gone", "rename"].includes(event.kind)) this.#watchSet.invalidate(target);
    if (isDirect) {
      this.#hot.note(target, event);
      return this.#dispatch.note(target, event);
    }
    // A directory on the way was born or moved, or what is there has another number now. What happens to it follows
    // in the next events, so its inodes must be known by then. Who makes a directory is not who makes the file in it.
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
        // what somebody looks up was there before: the look that is to come knows who brought it
        .filter((parent) => event.kind !== "lookup" || !this.#dispatch.has(parent))
        .filter((parent) => this.#tree.member(parent, name) === undefined)
        .filter((parent) => this.#selection.includes(joinPath(parent.path, name)))
        .map((parent) => this.#tree.add(parent, name)),
    );
  }

  /** Looks at everything once more, without holding up events (rescans.ts). @param anew its watches may be gone */
  rescan(origin: "gap" | "rescan", anew = false): Promise<void> {
    return this.#rescans.run(origin, anew);
  }

  /** Looks at everything that events still wait for, and at nothing more. */
  stop(): void {
    this.#rescans.stop();
    this.#covers.stop();
    this.#dispatch.finish();
    this.#reporter.stop();
  }

  /**
   * Looks at one target, and at the members of a directory that are new. Returns what came of the
   * target itself.
   *
   * @param baseline what is not known yet is taken as it is, not reported as created
   */
  #look(target: Target, origin: Origin, occasion: Occasion, baseline = target.parent === undefined): Outcome {
    if (!this.#tree.has(target)) return "same"; // forgotten meanwhile
    this.#onLook();
    const led = this.#watchSet.endOf(target);
    const before = { cover: this.#covers.over(target, led), end: led };
    if (origin === "live" && this.#covers.awaitsEvent(target)) return "early";
    occasion = { ...occasion, sightings: this.#covers.eventsOf(target).reduce(sight, occasion.sightings) };
    count("looks");
    try {
      const end = this.#watchSet.refresh(target);
      const consumer = this.#consumerFor(target.path);
      const { contentLimit } = consumer;
      const { settled, sightings } = occasion;
      const look =
        end === undefined
          ? lookAtLink(this.#watchSet.linkOf(target))
          : this.#longReads.look(target, { path: end.path, contentLimit, sightings, origin, baseline }, settled);
      const opened = this.#watchSet.opened(target);
      if (this.#covers.cameOver(target, before)) return "early";
      this.#hot.opened(target, opened?.isWritable);
      if (opened?.isNew === true) this.#dispatch.await(target, [], "live"); // it was read before it was watched
      const isAbsent = look !== "early" && (look?.type === "missing" || look?.type === "symlink");
      if (look === "early" || (isAbsent && !settled)) return "early";
      const isUnborn = look?.type === "missing" && occasion.born === true && !occasion.final;
      if (isUnborn && isMissing(this.#reporter.known(target.path))) return "unborn";
      if (this.#awaitsMover(target.path, origin, occasion)) return "early";
      this.#counts[isAbsent ? "missing" : "watched"]++;
      if (look === undefined) return "same";
      const dropped = this.#longReads.drop(target); // it was long before, or leads elsewhere now
      if (dropped !== undefined && !(look.type === "missing" && this.#wentUnread(target, dropped)))
        occasion = { ...occasion, sightings: mergeSightings(dropped.sightings, sightings) };
      return this.#judge(target, consumer, look, end?.path, origin, occasion, baseline);
    } catch (error) {
      this.#failed(target, error, origin, occasion);
      return "same";
    }
  }

  /** A long file was read to its end; the events of what is found have had their time. */
  #wasRead(target: Target, purpose: Purpose, look: Look): void {
    if (!this.#tree.has(target)) return;
    const { path, sightings, origin, baseline } = purpose;
    // the event of its end says who
    if (look.type === "missing")
      return this.#dispatch.await(target, this.#wentUnread(target, purpose) ? [] : sightings, origin);
    const occasion: Occasion = { sightings, settled: true, final: true };
    try {
      this.#judge(target, this.#consumerFor(target.path), look, path, origin, occasion, baseline);
    } catch (error) {
      this.#failed(target, error, origin, occasion);
    }
  }

  /** Tells of a new file that went before its end was read. Returns whether there was one to tell of. */
  #wentUnread(target: Target, purpose: Purpose): boolean {
    const consumer = this.#consumerFor(target.path);
    if (this.#departure(target, consumer)?.inherits === true) return false; // it is read where it went
    const isTold = this.#reporter.reportUnread(target.path, consumer, purpose, this.#selection.reports(target.path));
    if (isTold) this.#onLine();
    return isTold;
  }

  #judge(
    target: Target,
    consumer: Consumer,
    look: Look,
    end: string | undefined,
    origin: Origin,
    occasion: Occasion,
    baseline: boolean,
  ): Outcome {
    const { path } = target;
    // its event was not lost: the look to come says who did it
    if ((origin === "gap" || origin === "rescan") && this.#dispatch.has(target)) return "same";
    const links = this.#watchSet.linkOf(target)?.texts;
    if (links !== undefined && look.type !== "missing") look = { ...look, links };
    const known = this.#reporter.known(path);
    if (known === undefined && baseline) this.#counts.added++;
    const before = known ?? (baseline ? undefined : consumer.parse(path, MISSING, this.#keys));
    const departure = look.type === "missing" ? this.#departure(target, consumer) : undefined;
    const wasMissing = before === undefined ? undefined : isMissing(before);
    const cover = this.#covers.of(target, this.#watchSet.endOf(target), wasMissing, look.type === "missing");
    const isReported = this.#selection.reports(path);
    const finding = { path, consumer, before, look, end, origin, occasion, isReported, departure, cover };
    const outcome = this.#reporter.report(finding);
    if (outcome === "early") {
      this.#dispatch.await(target, occasion.sightings, origin);
      return outcome;
    }
    if (outcome === "line") {
      this.#counts.changed++;
      this.#onLine();
    }
    this.#lookAtMembers(target, look, end, origin, occasion, before === undefined);
    this.#covers.settle(target, cover?.action);
    if (occasion.settled) this.#moves.settle(target);
    if (look.type === "file") this.#hot.looked(target, occasion.sightings, outcome === "line");
    else this.#hot.drop(target);
    if (look.type === "missing" && target.parent !== undefined) this.#forget(target);
    this.#follow.lookedAt(path, origin);
    if (outcome === "line") this.#follow.changed(path, occasion.sightings, origin);
    return outcome;
  }

  #failed(target: Target, error: unknown, origin: Origin = "live", occasion?: Occasion): void {
    this.#counts.failed++;
    log.error(`cannot look at ${target.path}: ${messageOf(error)}`);
    const isStore = error instanceof BpfinkError && error.status === ExitStatus.database;
    if (isStore) this.#dispatch.postpone(target, occasion?.sightings ?? [], origin);
  }

  /**
   * Whether something came to a path where nothing was, from a path that has not been looked at yet:
   * that look decides whether it was moved, or left a successor behind.
   */
  #awaitsMover(path: string, origin: Origin, occasion: Occasion): boolean {
    const mover = this.#moves.arrival(path);
    if (mover === undefined || !isMissing(this.#reporter.known(path))) return false;
    return !occasion.settled || this.#look(mover, origin, occasion) === "early";
  }

  #departure(target: Target, consumer: Consumer): Finding["departure"] {
    const departure = this.#moves.departure(target);
    if (departure === undefined) return undefined;
    const { to } = departure;
    const inherits =
      to !== undefined &&
      this.#selection.includes(to) &&
      this.#consumerFor(to) === consumer &&
      isMissing(this.#reporter.known(to));
    return { to, inherits, isReported: to !== undefined && this.#selection.reports(to) };
  }

  #consumerFor(path: string): Consumer {
    return chooseConsumer(path, this.#selection, this.#context);
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
    const inode = look.type === "missing" ? undefined : look.inode;
    const isSame = directory.members?.inode === inode;
    // all are made before the first is looked at, and lie together in memory
    const members = names.flatMap((name) => {
      const known = this.#tree.member(directory, name);
      // what the user asked for is looked at by itself
      if (known !== undefined) return (origin === "startup" ? known.parent !== undefined : !isSame) ? [known] : [];
      return this.#selection.includes(joinPath(directory.path, name)) ? [this.#tree.add(directory, name)] : [];
    });
    if (directory.members !== undefined) directory.members.inode = inode;
    const present = new Set(names);
    const gone = [...(directory.members?.values() ?? [])].filter(({ name }) => !present.has(name));
    for (const member of [...members, ...gone]) this.#covers.pass(directory, member, this.#watchSet.endOf(member));
    for (const member of members) this.#lookAtMember(member, origin, occasion, baseline);
    for (const member of gone) this.#look(member, origin, occasion);
  }

  /** A file that was met by chance may be half written: it is looked at when it has been quiet. */
  #lookAtMember(member: Target, origin: Origin, occasion: Occasion, baseline: boolean): void {
    const isFile = origin === "live" && this.#refresh(member)?.stat.type === "file";
    if (!isFile) return void this.#look(member, origin, occasion, baseline);
    const renamers = occasion.sightings.filter((sighting) => sighting.renamed);
    this.#dispatch.await(member, renamers, origin);
  }

  /** Forgets a member that is gone, and its state: it was reported, and a new one will be a creation. */
  #forget(target: Target, keepsState = false): void {
    if (!keepsState) this.#store.forget(target.path);
    this.#watchSet.remove(target);
    this.#dispatch.drop(target);
    this.#hot.drop(target);
    this.#longReads.drop(target);
    this.#tree.remove(target);
  }
}
