import type { NodeKey } from "../event.ts";
import { ExcludeMaps, type NameRule } from "../kernel/excludes.ts";
import { CHANGE_HOOKS, type Form } from "../kernel/hooks.ts";
import { LoadedObject, type MissingHook, type ProgramCounts } from "../kernel/load.ts";
import { OpenedSlot, WatchMap } from "../kernel/maps.ts";
import { Switches } from "../kernel/switches.ts";
import { decodeOpened, encodeMonitor } from "./decode.ts";
import { withArgs } from "./process.ts";
import { EventRing } from "./ring.ts";
import type { Opened, Source, SourceHandlers, SourceSizes, WatchNode } from "./source.ts";
import { Watches } from "./watches.ts";

const FULL_REMEDY = "start bpfink with a greater --max-watches, or watch fewer files";

/** The kernel skipped the program, or another file was opened: a look is to follow, which is answered. */
const UNANSWERED: Opened = { writers: 1, mappings: 0 };

/** The source of choice: BPF programs in the kernel, a ring buffer, a thread that waits for it. */
export class EbpfSource implements Source {
  readonly backend: `ebpf/${Form}`;
  readonly tellsOfMounts = true;
  readonly #object: LoadedObject;
  readonly #watches: Watches;
  readonly #excludes: ExcludeMaps;
  readonly #switches: Switches;
  /** Why changes are not seen, as the owner was told. */
  #blindness: ReadonlySet<string> = new Set();
  readonly #opened: OpenedSlot | undefined;
  readonly #ring: EventRing;

  /** Throws LoadError where the kernel does not take the programs. */
  constructor(form: Form, { ringSize, maxWatches }: SourceSizes) {
    this.backend = `ebpf/${form}`;
    this.#object = LoadedObject.load(CHANGE_HOOKS, form, {
      ring: ringSize,
      ...(maxWatches === undefined ? {} : { watches: maxWatches }),
    });
    this.#watches = new Watches(new WatchMap(this.#object.mapFd("watches"), this.#object.mapFd("filter")));
    this.#excludes = new ExcludeMaps(this.#object.mapFd("shapes"), this.#object.mapFd("excluded"));
    this.#switches = new Switches(form);
    this.#ring = new EventRing(this.#object);
    if (!this.missing.some(({ hook }) => hook.name === "open"))
      this.#opened = new OpenedSlot(this.#object.mapFd("opened"), encodeMonitor(process.pid));
  }

  /** How many hooks are attached. */
  get attached(): number {
    return this.#object.attached;
  }

  /** Hooks that this kernel does not have, or does not take. */
  get missing(): readonly MissingHook[] {
    return this.#object.missing;
  }

  get unseen(): readonly string[] {
    return this.missing.map(({ hook: { target, consequence } }) => `${consequence} (${target})`);
  }

  watch(node: WatchNode): NodeKey {
    return this.#watches.watch(node);
  }

  unwatch(key: NodeKey): void {
    this.#watches.unwatch(key);
  }

  excludeNames(rules: readonly NameRule[]): void {
    this.#excludes.set(rules);
  }

  setScopes(key: NodeKey, scopes: number): void {
    this.#watches.setScopes(key, scopes);
  }

  opened(key: NodeKey): Opened | undefined {
    return this.#opened && (decodeOpened(this.#opened.take(), key) ?? UNANSWERED);
  }

  /** A hook tells of a change before it can be seen, or a moment after. */
  untilNow(): () => boolean {
    return this.#ring.untilNow();
  }

  hasLost(): boolean {
    return this.#ring.hasLost();
  }

  start(handlers: SourceHandlers): void {
    this.#ring.start({
      onEvent: (event) => {
        if (event.kind === "freed" && event.node !== undefined) this.#watches.freed(event.node);
        const isBirth = ["birth", "lookup", "rename"].includes(event.kind); // the last is a birth to its new directory
        if (isBirth && event.node !== undefined) this.#watches.born(event.node);
        handlers.onEvent(event.actor === undefined ? event : { ...event, actor: withArgs(event.actor) });
      },
      onLost: (count, since) => {
        this.#watches.sweep();
        handlers.onLost(count, since);
      },
      onError: (error) => handlers.onError(error),
      onTick: () => {
        this.#watches.tick();
        this.#reportBlindness(handlers);
      },
    });
  }

  programs(): ProgramCounts[] {
    return this.#object.programs();
  }

  #reportBlindness({ onBlind, onSeeing }: SourceHandlers): void {
    const reasons = new Map(this.#switches.off().map(({ name, remedy }) => [name, remedy]));
    if (this.#watches.isFull) reasons.set("the kernel's watch map is full", FULL_REMEDY);
    for (const [reason, remedy] of reasons) if (!this.#blindness.has(reason)) onBlind?.(reason, remedy);
    for (const reason of this.#blindness) if (!reasons.has(reason)) onSeeing?.(reason);
    this.#blindness = new Set(reasons.keys());
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#switches[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}
