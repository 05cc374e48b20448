import { closeSync, openSync, readFileSync, readSync, readlinkSync } from "node:fs";
import type { Actor, Ancestor } from "../event.ts";
import { boottimeOffset } from "../kernel/libc.ts";
import { containerOf } from "./cgroup.ts";

/** Bytes of argv that are kept: enough to recognise a command, little enough that no process can fill our memory. */
export const ARGS_LIMIT = 4096;

/** What bpfink reads of /proc/PID/stat, proc_pid_stat(5). */
export interface Stat {
  /** Field 2, without its parentheses. */
  readonly name: string;
  /** Field 3: R, S, Z (zombie), … */
  readonly state: string;
  readonly ppid: number;
  /** Field 6, POSIX session id. */
  readonly session: number;
  /** Field 7, device of the controlling terminal; 0 for none. */
  readonly tty: number;
  /** Field 22, clock ticks (10 ms) after boot. */
  readonly startTicks: bigint;
}

/** Pure. The name may hold spaces, parentheses and newlines, so it ends at the *last* parenthesis. */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close < open) return undefined;
  // Field 3 is the first one after the name.
  const fields = text
    .slice(close + 1)
    .trim()
    .split(" ");
  const [state, ppid, , session, tty = ""] = fields;
  const start = fields[22 - 3];
  if (!state || !isNumber(ppid) || !isNumber(session) || !isNumber(start)) return undefined;
  return {
    name: text.slice(open + 1, close),
    state,
    ppid: Number(ppid),
    session: Number(session),
    tty: isNumber(tty) ? Number(tty) : 0,
    startTicks: BigInt(start),
  };
}

/** What bpfink reads of /proc/PID/status, proc_pid_status(5). */
export interface Status {
  readonly uid: number;
  readonly euid: number;
}

/** Pure. A name cannot forge a line here: the kernel escapes newlines in `Name:`. */
export function parseStatus(text: string): Status | undefined {
  const match = /^Uid:\s+(\d+)\s+(\d+)/m.exec(text);
  return match === null ? undefined : { uid: Number(match[1]), euid: Number(match[2]) };
}

/**
 * Pure. /proc/PID/cmdline: arguments, each ended by a NUL (or any text, if the process wrote over
 * it). Longer than ARGS_LIMIT, it is cut there and the last argument ends in "…".
 */
export function parseArgs(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const cut = bytes.length > ARGS_LIMIT;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // stream: a character that the cut has split is dropped, not shown as garbage.
  const text = decoder.decode(bytes.subarray(0, ARGS_LIMIT), { stream: cut });
  if (cut) return `${text}…`.split("\0");
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}

/** Pure. "4294967295" is (uid_t)-1: nobody logged in. */
export function parseLoginuid(text: string): number | undefined {
  const uid = text.trim();
  return isNumber(uid) && uid !== "4294967295" ? Number(uid) : undefined;
}

/**
 * Pure. /proc/PID/cgroup, cgroups(7): the path in the unified hierarchy; else, where that is not used,
 * the one of the pids controller.
 */
export function parseCgroup(text: string): string | undefined {
  const paths = new Map(
    [...text.matchAll(/^\d+:([^:]*):(.*)$/gm)].map(([, controllers = "", path]) => [controllers, path]),
  );
  const unified = paths.get("");
  return unified === undefined || unified === "/" ? (paths.get("pids") ?? unified) : unified;
}

/**
 * Pure. The terminal with this device number as /proc/PID/stat has it: minor in bits 31-20 and 7-0,
 * major in 15-8. Numbers are those of Documentation/admin-guide/devices.txt; others are not named.
 */
export function ttyOfDevice(device: number): string | undefined {
  const major = (device >> 8) & 0xff;
  const minor = ((device >>> 20) << 8) | (device & 0xff);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return undefined;
}

/**
 * Pure. RFC 3339 of a start time in ticks of USER_HZ, which is 100 on x86-64 and arm64. It counts
 * CLOCK_BOOTTIME; `offset` is CLOCK_REALTIME minus that, in nanoseconds.
 */
export function startTime(ticks: bigint, offset: bigint): string {
  const milliseconds = Number((ticks * 10_000_000n + offset) / 1_000_000n);
  // Beyond what a Date can say, nothing is known.
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : "";
}

/**
 * The process that has this number now, or undefined when none has. What cannot be read is left
 * empty: a zombie has no executable and no arguments any more, a kernel thread never had them, and
 * an executable that was unlinked ends in " (deleted)", as the kernel says it.
 *
 * All parts are of one process (its start time is compared before and after), but whether it is the
 * one that the caller means is for the caller to make sure of, with a pidfd or a start time.
 */
export function readProcess(pid: number): Actor | undefined {
  const stat = readStat(pid);
  const status = parseStatus(readText(`/proc/${pid}/status`) ?? "");
  if (stat === undefined || status === undefined) return undefined;
  const cgroup = parseCgroup(readText(`/proc/${pid}/cgroup`) ?? "");
  const process = {
    pid,
    ppid: stat.ppid,
    name: stat.name,
    executable: "", // read below; here for the order of a line's keys
    args: parseArgs(readHead(`/proc/${pid}/cmdline`, ARGS_LIMIT + 1)),
    tty: ttyOfDevice(stat.tty),
    session: stat.session,
    cgroup,
    container: containerOf(cgroup ?? ""),
    start: startTime(stat.startTicks, boottimeOffset()),
    ancestors: readAncestors(stat.ppid),
  };
  const loginuid = parseLoginuid(readText(`/proc/${pid}/loginuid`) ?? "");
  // Last: a process that ends loses its arguments and its executable together, with its memory, and
  // can be waited for only later. If the executable is there, so were the arguments.
  const executable = readLink(`/proc/${pid}/exe`) ?? "";
  const actor: Actor = {
    process: { ...process, executable },
    uid: status.uid,
    euid: status.euid,
    loginuid,
  };
  return readStat(pid)?.startTicks === stat.startTicks ? actor : undefined;
}

/** Start times in /proc are in ticks of the clock: 10 ms, and one for rounding. */
export const START_TICK = 20;

/**
 * The kernel half reads arguments where they are in memory: not those that were swapped out. Of a process
 * that is there still, and has executed nothing else, /proc has them.
 */
export function withArgs(actor: Actor): Actor {
  const { pid, args, executable, start } = actor.process;
  if (args.length > 0 || executable === "") return actor;
  const read = parseArgs(readHead(`/proc/${pid}/cmdline`, ARGS_LIMIT + 1));
  const stat = readStat(pid);
  if (stat === undefined || readLink(`/proc/${pid}/exe`) !== executable) return actor;
  const isSame = Math.abs(Date.parse(startTime(stat.startTicks, boottimeOffset())) - Date.parse(start)) <= START_TICK;
  return isSame ? { ...actor, process: { ...actor.process, args: read } } : actor;
}

/** As many as the kernel half keeps (ANCESTORS in bpf/event.h). */
const ANCESTORS = 12;

/** The process and those it descends from, as far as they are there. */
function readAncestors(pid: number): Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (let at = pid; at > 0 && ancestors.length < ANCESTORS;) {
    const stat = readStat(at);
    if (stat === undefined) break;
    ancestors.push({ pid: at, name: stat.name, executable: readLink(`/proc/${at}/exe`) ?? "" });
    at = stat.ppid;
  }
  return ancestors;
}

/** /proc/PID/stat of a process that is there. */
export function readStat(pid: number): Stat | undefined {
  return parseStat(readText(`/proc/${pid}/stat`) ?? "");
}

const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text);

// A process may go away between any two reads (ENOENT, ESRCH), or be hidden from us (EACCES, EPERM,
// hidepid): all of that is absence here.

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The first bytes of a file: a command line can be megabytes long. */
function readHead(path: string, limit: number): Uint8Array {
  const bytes = new Uint8Array(limit);
  let length = 0;
  try {
    const fd = openSync(path, "r");
    try {
      for (let n = -1; n !== 0 && length < limit; length += n) n = readSync(fd, bytes, length, limit - length, null);
    } finally {
      closeSync(fd);
    }
  } catch {
    // What was read before the process went away is its own all the same.
  }
  return bytes.subarray(0, length);
}
