import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Actor, KernelEvent, NodeKey } from "../../../src/event.ts";
import { openFanotify } from "../../../src/source/fanotify.ts";
import type { Source } from "../../../src/source/source.ts";

/** An event with its actor taken at once, as every receiver must. */
export interface Seen {
  /** `kind node directory/name>directory/name`, with the labels given to watch(), "?" for what is not watched. */
  readonly text: string;
  readonly event: Omit<KernelEvent, "actor">;
  readonly actor: Actor | undefined;
}

/** A fanotify source that runs, with two directories on one file system: `d` to be watched, `o` for elsewhere. */
export class Rig implements Disposable {
  readonly base: string;
  readonly d: string;
  readonly o: string;
  readonly source: Source;
  readonly seen: Seen[] = [];
  readonly lost: (number | undefined)[] = [];
  readonly #labels = new Map<NodeKey, string>();
  #wake = Promise.withResolvers<void>();

  constructor(parent: string) {
    this.base = mkdtempSync(join(parent, "bpfink-fanotify-"));
    this.d = join(this.base, "d");
    this.o = join(this.base, "o");
    mkdirSync(this.d);
    mkdirSync(this.o);
    this.source = openFanotify();
  }

  start(): void {
    const changed = () => {
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    this.source.start({
      onEvent: (event) => {
        if (event.kind === "mount") return; // anybody's, in the whole mount namespace
        const { actor, ...rest } = event;
        this.seen.push({ text: this.#describe(event), event: rest, actor });
        changed();
      },
      onLost: (count) => {
        this.lost.push(count);
        changed();
      },
      onError: (error) => this.#wake.reject(error),
    });
  }

  watch(path: string, as: "file" | "directory", label: string): NodeKey | undefined {
    const key = this.source.watch({ path, device: 0, inode: 0n, as, inherit: false });
    if (key !== undefined) this.#labels.set(key, label);
    return key;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#wake.promise;
  }

  /** Everything that the kernel has queued until now is seen when the name that this makes is. */
  async settle(): Promise<void> {
    const name = `barrier-${crypto.randomUUID()}`;
    writeFileSync(join(this.d, name), "");
    const isBarrier = ({ event }: Seen) => event.entries.some((entry) => entry.name === name);
    await this.until(() => this.seen.some(isBarrier));
    this.seen.splice(this.seen.findIndex(isBarrier), 1);
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
    rmSync(this.base, { recursive: true, force: true });
  }

  #describe({ kind, node, entries }: KernelEvent): string {
    const label = (key: NodeKey) => this.#labels.get(key) ?? "?";
    const names = entries.map(({ directory, name }) => `${label(directory)}/${name}`);
    return [kind, node === undefined ? "-" : label(node), names.join(">")].join(" ").trimEnd();
  }
}

/** A process of its own that does what it is told with node:fs, and lives on. */
export class Doer implements AsyncDisposable {
  readonly #child = Bun.spawn(
    [
      process.execPath,
      "-e",
      'const fs = require("node:fs"); for await (const line of console) { eval(line); console.log("done"); }',
    ],
    { stdin: "pipe", stdout: "pipe" },
  );
  readonly #answers = this.#child.stdout.getReader();

  get pid(): number {
    return this.#child.pid;
  }

  /** @param code one line of JavaScript, `fs` in scope */
  async run(code: string): Promise<void> {
    this.#child.stdin.write(`${code}\n`);
    await this.#child.stdin.flush();
    const { done } = await this.#answers.read();
    if (done) throw new Error(`failed: ${code}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
