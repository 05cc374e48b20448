// What a line of bpfink's must be, whatever it tells of.
import { createHash } from "node:crypto";
import { hostname } from "node:os";

export interface ProcessKeys {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly executable: string;
  readonly args: readonly string[];
  readonly start: string;
  readonly ancestors: readonly { readonly pid: number; readonly name: string; readonly executable: string }[];
}

/** One line of stdout. */
export interface Line {
  readonly time: string;
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  readonly level: string;
  readonly message: string;
  readonly host: string;
  readonly version: string;
  readonly action: string;
  readonly backend: string;
  readonly origin?: string;
  readonly consumer?: string;
  readonly file?: string;
  readonly process?: ProcessKeys;
  readonly processName?: string;
  readonly user?: string;
  readonly loginUser?: string;
  readonly effectiveUser?: string;
  readonly actors?: readonly { readonly process: ProcessKeys; readonly user: string }[];
  readonly [key: string]: unknown;
}

const CHANGES = ["created", "modified", "deleted", "moved", "attributes", "covered", "uncovered"];
const OWN = ["started", "stopped", "gap", "blind", "seeing", "expected", "reloaded", "database"];
/** Those that tell who sent the signal. */
const BY_SIGNAL = ["stopped", "reloaded"];
const LEVELS: Record<string, string> = { gap: "error", blind: "error", database: "error" };
const ORIGINS = ["live", "startup", "rescan", "gap"];
const CONSUMERS = ["users", "access", "diff", "generic"];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const BACKEND = process.env["BPFINK_EXPECT_BACKEND"] ?? "";

/** What the hash of a line must be. */
export function digestOf(text: string): string {
  return createHash("sha256")
    .update(text.replace(/,"hash":"[^"]*"/, ""))
    .digest("hex");
}

function isChained(text: string, { seq, prev, hash }: Line, after: Line | undefined): boolean {
  if (!text.includes(`,"seq":${seq},"prev":"${prev}","hash":"${hash}",`) || !/^(keyed:)?[0-9a-f]{64}$/.test(prev))
    return false;
  if (after !== undefined && seq === after.seq + 1 && prev !== after.hash) return false;
  return hash.startsWith("keyed:") || hash === digestOf(text);
}

/** "none": of a `check --update` before. */
const isBackend = (name: string): boolean =>
  name === "none" || (/^(ebpf\/(fentry|kprobe)|fanotify)$/.test(name) && name.startsWith(BACKEND));

/** Reads a line; throws when it is not what every line must be. */
export function parseLine(text: string, after: Line | undefined): Line {
  const line = JSON.parse(text) as Line;
  const isChange = CHANGES.includes(line.action);
  const wrong = Object.entries({
    time: TIME.test(line.time),
    seq: Number.isSafeInteger(line.seq) && line.seq > (after?.seq ?? 0),
    level: line.level === (isChange ? "warn" : (LEVELS[line.action] ?? "info")),
    message: typeof line.message === "string" && line.message !== "",
    host: line.host === hostname(),
    version: /^\d+\.\d+\.\d+/.test(line.version),
    action: isChange || OWN.includes(line.action),
    backend: isBackend(line.backend),
    origin: isChange ? ORIGINS.includes(line.origin ?? "") : line.origin === undefined,
    consumer: isChange ? CONSUMERS.includes(line.consumer ?? "") : line.consumer === undefined,
    file: isChange ? line.file?.startsWith("/") : line.file === undefined,
    process:
      line.process === undefined ||
      ((line.origin === "live" || BY_SIGNAL.includes(line.action)) && line.process.name === line.processName),
    chain: isChained(text, line, after),
  }).filter(([, isRight]) => isRight !== true);
  if (wrong.length > 0) throw new Error(`wrong ${wrong.map(([key]) => key).join(", ")} after seq ${after?.seq ?? 0}`);
  return line;
}
