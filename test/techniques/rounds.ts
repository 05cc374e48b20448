// Runs many techniques, one after the other, under one bpfink, and collects the lines of each.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bpfink } from "../e2e/bpfink.ts";
import type { Line } from "../e2e/line.ts";
import { environment, inVm, PATIENCE, SLOW } from "../e2e/process.ts";
import { buildTechniques } from "./build.ts";
import { Places } from "./places.ts";
import type { Case } from "./table.ts";
import { limitOf } from "./technique.ts";

/** The program; a virtual machine, which has no compiler, is given it. */
export const program = (): string => process.env["BPFINK_TECHNIQUES"] ?? buildTechniques();

/** What became of one technique. */
export interface Outcome {
  readonly case: Case;
  readonly directory: string;
  /** Of the process that changed the file. */
  readonly actor: number;
  readonly args: readonly string[];
  /** Exit status of the program; 77: there is no such call. */
  readonly status: number;
  readonly stderr: string;
  /** In each round, the lines about the technique's files. */
  readonly lines: readonly (readonly Line[])[];
}

export interface Run {
  /** As bpfink calls it. */
  readonly backend: string;
  readonly outcomes: readonly Outcome[];
  /** Lines that belong to no technique. */
  readonly strays: readonly Line[];
}

/**
 * Tries all the cases under one bpfink. Each program runs up to its pause, or its end, before the next
 * starts; then all lines are waited for, and all go on.
 * @param patience how long to wait for lines of a round that do not come, in milliseconds
 * @param despiteLimits whether to wait for lines, too, that the backend is known not to bring in time
 */
export async function runTechniques(
  cases: readonly Case[],
  backend: string,
  { patience = PATIENCE, args = [] as readonly string[], despiteLimits = false } = {},
): Promise<Run> {
  await using places = await Places.make(cases);
  const watch = cases.flatMap((each) => each.technique.watch.map((name) => join(places.of(each), name)));
  await using bp = await Bpfink.start({ watch, args: ["--backend", backend, ...args], patience: SLOW });
  await using programs = new Programs();
  const taken = bp.lines[0]?.backend ?? backend;
  // what the kernel had looked up when the files were made is not known to it when they are changed
  if (inVm) writeFileSync("/proc/sys/vm/drop_caches", "2");
  const attempts = cases.map((each) => new Attempt(each, places));
  const strays: Line[] = [];
  const rounds = Math.max(...cases.map((each) => each.technique.rounds.length));
  for (let round = 0; round < rounds; round++) {
    for (const attempt of attempts) await attempt.goOn(round, programs);
    const deadline = performance.now() + patience;
    do {
      for (const line of await bp.rest({ withGaps: true }))
        (attempts.find((attempt) => attempt.takes(line))?.lines[round] ?? strays).push(line);
    } while (
      performance.now() < deadline &&
      attempts.some((attempt) => attempt.waits(round, despiteLimits ? undefined : taken))
    );
  }
  return { backend: taken, outcomes: attempts.map((attempt) => attempt.outcome()), strays };
}

/** A technique that is going on. */
class Attempt {
  readonly lines: Line[][] = [];
  readonly #directory: string;
  readonly #args: readonly string[];
  #program: Program | undefined;

  constructor(
    readonly technique: Case,
    places: Places,
  ) {
    const { name, program: argument = name, layer } = technique.technique;
    this.#directory = places.of(technique);
    this.#args = [program(), argument, places.of(technique, layer?.run)];
  }

  /** Runs the program to its next pause or its end. */
  async goOn(round: number, programs: Programs): Promise<void> {
    this.lines.push([]);
    if (round === 0) this.#program = programs.start(this.#args);
    else this.#program?.goOn();
    await this.#program?.pauseOrEnd();
  }

  takes(line: Line): boolean {
    return line.file?.startsWith(`${this.#directory}/`) ?? false;
  }

  /** Whether lines of the round are still to come. */
  waits(round: number, backend: string | undefined): boolean {
    const { technique, fileSystem } = this.technique;
    if (
      (backend !== undefined && limitOf(backend, technique, fileSystem) !== undefined) ||
      (this.#program?.status ?? 0) !== 0
    )
      return false;
    return (this.lines[round]?.length ?? 0) < (technique.rounds[round]?.length ?? 0);
  }

  outcome(): Outcome {
    const { actor = 0, status = -1, stderr = "" } = this.#program ?? {};
    return {
      case: this.technique,
      directory: this.#directory,
      actor,
      args: this.#args,
      status,
      stderr,
      lines: this.lines,
    };
  }
}

/** All that were started; what still runs is ended with them. */
class Programs implements AsyncDisposable {
  readonly #all: Program[] = [];

  start(args: readonly string[]): Program {
    const started = new Program(args);
    this.#all.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#all) await each.kill();
  }
}

class Program {
  actor: number;
  status: number | undefined;
  stderr = "";
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #said: AsyncIterator<Uint8Array>;

  constructor(args: readonly string[]) {
    this.#child = Bun.spawn([...args], { env: environment(), stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#said = this.#child.stdout[Symbol.asyncIterator]();
    this.actor = this.#child.pid;
  }

  goOn(): void {
    if (this.status !== undefined) return;
    this.#child.stdin.write("\n");
    this.#child.stdin.flush();
  }

  /** Reads what the program says (main.c): "pause", "actor PID". */
  async pauseOrEnd(): Promise<void> {
    let said = "";
    while (this.status === undefined && !said.includes("pause\n")) {
      const { done, value } = await this.#said.next();
      said += done ? "" : Buffer.from(value).toString();
      if (!done) continue;
      this.stderr = (await this.#child.stderr.text()).trim();
      this.status = await this.#child.exited;
    }
    this.actor = Number(/actor (\d+)/.exec(said)?.[1] ?? this.actor);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
