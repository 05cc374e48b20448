// Drives one bpfink: starts it, reads its lines, makes sure that it prints no others, stops it.
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TemporaryDirectory } from "./files.ts";
import { type Line, parseLine } from "./line.ts";
import { BPFINK, CAN_LOSE, type Ended, environment, PATIENCE } from "./process.ts";
import { threadStates } from "./threads.ts";

export interface StartOptions {
  readonly watch?: readonly string[];
  readonly args?: readonly string[];
  /** Default: one that goes with the instance. */
  readonly database?: string;
  readonly root?: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** What comes before the executable: `unshare -m …`, which must end in bpfink in the same process. */
  readonly wrapper?: readonly string[];
  readonly executable?: string;
  /** A file descriptor that takes the lines instead: they are not read, and start() waits for stderr. */
  readonly stdout?: number;
  /** How long the start may take, in milliseconds. */
  readonly patience?: number;
}

export type Match = Partial<Line> | ((line: Line) => boolean);

/** A `gap` says nothing about bpfink where events can be lost at any time. */
const isExpected = ({ action }: Line) => !(CAN_LOSE && action === "gap");

/** Said on stderr when everything has been looked at. */
const WATCHING = / watched, .* waited for/;

export class Bpfink implements AsyncDisposable {
  readonly database: string;
  /** All lines so far, as they were printed. */
  readonly texts: string[] = [];
  readonly lines: Line[] = [];
  readonly #taken = new Set<Line>();
  readonly #child: Bun.Subprocess<"ignore", "pipe" | number, "pipe">;
  readonly #directory: TemporaryDirectory;
  readonly #sentinel: string;
  /** The sentinel's path as lines have it. */
  readonly #sentinelName: string;
  readonly #sentinelFd: number;
  #sentinelCount = 0;
  readonly #ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";
  #failure: unknown;
  #news = Promise.withResolvers<void>();
  #hasEnded = false;

  /** Resolves when bpfink says that it has started. */
  static async start(options: StartOptions): Promise<Bpfink> {
    const bpfink = new Bpfink(options);
    try {
      if (options.stdout === undefined)
        await bpfink.line({ action: "started" }, { timeout: options.patience ?? PATIENCE });
      else await bpfink.stderr(WATCHING);
      return bpfink;
    } catch (error) {
      await bpfink[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: StartOptions) {
    this.#directory = new TemporaryDirectory();
    this.database = options.database ?? this.#directory.at("db/bpfink.db");
    this.#sentinelName = options.root === undefined ? this.#directory.at("sentinel") : "/sentinel";
    this.#sentinel = options.root === undefined ? this.#sentinelName : join(options.root, "sentinel");
    this.#sentinelFd = openSync(this.#sentinel, "w");
    const watch = [...(options.watch ?? []), this.#sentinelName].flatMap((path) => ["--watch", path]);
    const root = options.root === undefined ? [] : ["--root", options.root];
    const args = ["--database", this.database, ...root, ...watch, ...(options.args ?? [])];
    this.#child = Bun.spawn([...(options.wrapper ?? []), options.executable ?? BPFINK, ...args], {
      cwd: options.cwd ?? this.#directory.path,
      env: environment(options.env),
      stdin: "ignore",
      stdout: options.stdout ?? "pipe",
      stderr: "pipe",
    });
    this.#ended = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The next line that matches and was not taken yet; it is taken then. */
  async line(match: Match, { timeout = PATIENCE } = {}): Promise<Line> {
    const matches = typeof match === "function" ? match : (line: Line) => Bun.deepMatch(match, line);
    const what = typeof match === "function" ? "a line" : `a line like ${JSON.stringify(match)}`;
    const find = () => this.lines.find((line) => !this.#taken.has(line) && matches(line));
    const line = await this.#wait(what, find, timeout);
    this.#taken.add(line);
    return line;
  }

  /** The next line about a file. */
  nextChange(file: string): Promise<Line> {
    return this.line({ file });
  }

  /** The line about a file, which must be the only line there is. */
  async only(file: string): Promise<Line> {
    const line = await this.nextChange(file);
    await this.noMoreLines();
    return line;
  }

  /** Fails if what was done so far leads to a line that was not taken. */
  async noMoreLines(): Promise<void> {
    const more = (await this.#settle()).filter(isExpected);
    if (more.length === 0) return;
    const error = this.#error(`no more lines expected, but seq ${more.map(({ seq }) => seq).join(", ")}`);
    this.forget();
    throw error;
  }

  /**
   * All lines not taken yet that what was done so far leads to; they are taken then.
   *
   * @param withGaps whether `gap` lines count where events can be lost at any time
   */
  async rest({ withGaps = false } = {}): Promise<Line[]> {
    const rest = await this.#settle();
    this.forget();
    return withGaps ? rest : rest.filter(isExpected);
  }

  /**
   * Waits for all lines that what was done so far leads to. Lines of changes of the sentinel end
   * them: when the first is printed, everything before it has been looked at. Each of the others
   * comes a settle time later, like the looks that bpfink may still owe: at what a new directory
   * holds, and at a file in there that may have been half written.
   */
  async #settle(): Promise<Line[]> {
    writeFileSync(this.#sentinel, this.#sentinelContent());
    await this.nextChange(this.#sentinelName);
    for (let settles = 0; settles < 3; settles++) {
      writeSync(this.#sentinelFd, this.#sentinelContent(), 0);
      await this.nextChange(this.#sentinelName);
    }
    return this.#untaken();
  }

  /** Takes all lines there are, so that a failed test leaves none to the next one. */
  forget(): void {
    for (const line of this.lines) this.#taken.add(line);
  }

  /** Waits for something on stderr. */
  async stderr(pattern: RegExp): Promise<string> {
    return this.#wait(`${pattern} on stderr`, () => (pattern.test(this.#stderr) ? this.#stderr : undefined), PATIENCE);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.kill(signal);
    return this.ended();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops it, and waits until no thread of it runs any more: kill(2) only asks. Goes on when disposed of. */
  async pause(): Promise<Disposable> {
    this.kill("SIGSTOP");
    while (threadStates(this.#child.pid).some((state) => state !== "T")) await Bun.sleep(1);
    return { [Symbol.dispose]: () => this.kill("SIGCONT") };
  }

  /** Waits for the end, which it must come to by itself. */
  async ended(): Promise<Ended> {
    await this.#wait("its end", () => (this.#hasEnded ? true : undefined), PATIENCE);
    if (this.#failure !== undefined) throw this.#error(String(this.#failure));
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    closeSync(this.#sentinelFd);
    this.#directory[Symbol.dispose]();
  }

  #untaken(): Line[] {
    return this.lines.filter((line) => !this.#taken.has(line));
  }

  #sentinelContent(): string {
    return String(++this.#sentinelCount).padStart(8, "0");
  }

  async #read(): Promise<Ended> {
    const { stdout, stderr, exited, pid } = this.#child;
    const [status] = await Promise.all([
      exited,
      stdout instanceof ReadableStream ? this.#collect(stdout, (text) => this.#takeStdout(text)) : undefined,
      this.#collect(stderr, (text) => (this.#stderr += text)),
    ]);
    this.#hasEnded = true;
    this.#news.resolve();
    return { pid, status, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      for await (const chunk of stream) {
        take(decoder.decode(chunk, { stream: true }));
        this.#tell();
      }
      decoder.decode();
    } catch (error) {
      this.#failure ??= error;
      this.#tell();
    }
  }

  #takeStdout(chunk: string): void {
    const begun = this.#stdout.slice(this.#stdout.lastIndexOf("\n") + 1);
    this.#stdout += chunk;
    for (const text of (begun + chunk).split("\n").slice(0, -1)) {
      this.texts.push(text);
      try {
        this.lines.push(parseLine(text, this.lines.at(-1)));
      } catch (error) {
        this.#failure ??= new Error(
          `line ${this.texts.length}: ${error instanceof Error ? error.message : String(error)}`,
        );
        return;
      }
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  async #wait<T>(what: string, find: () => T | undefined, timeout: number): Promise<T> {
    const deadline = performance.now() + timeout;
    for (;;) {
      if (this.#failure !== undefined) throw this.#error(String(this.#failure));
      const found = find();
      if (found !== undefined) return found;
      if (this.#hasEnded) throw this.#error(`bpfink ended with status ${this.#child.exitCode} before ${what} came`);
      const left = deadline - performance.now();
      if (left <= 0) throw this.#error(`no ${what} within ${timeout} ms`);
      const timer = Promise.withResolvers<void>();
      const handle = setTimeout(timer.resolve, left);
      await Promise.race([this.#news.promise, timer.promise]);
      clearTimeout(handle);
    }
  }

  #error(message: string): Error {
    const others = this.texts.filter((_, i) => !this.#taken.has(this.lines[i]!));
    const texts = others.map((text) => (text.length > 2000 ? `${text.slice(0, 2000)}…` : text));
    const of = `--- ${others.length} of ${this.texts.length} lines were not taken`;
    return new Error([message, of, ...texts, "--- stderr", this.#stderr].join("\n"));
  }
}
