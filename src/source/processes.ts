import type { Actor } from "../event.ts";
import { PROCESS_HOOKS } from "../kernel/hooks.ts";
import { boottimeOffset, realtimeOffset } from "../kernel/libc.ts";
import { LoadedObject, LoadError } from "../kernel/load.ts";
import { RecordMap } from "../kernel/maps.ts";
import { hasHostsPids } from "../kernel/namespace.ts";
import { readStat, START_TICK, startTime } from "./process.ts";
import { decodeActor, SIZE } from "./decode.ts";

/** Why what BPF programs tell cannot be joined with what fanotify tells. */
export const FOREIGN_PIDS = "in a PID namespace of its own bpfink does not know the kernel's process ids";

/**
 * What the kernel remembers of processes born since bpfink started, gone or not. For the fanotify
 * source, on kernels that take BPF programs at tracepoints but not at functions.
 */
export class ProcessTable implements Disposable {
  readonly #object: LoadedObject;
  readonly #processes: RecordMap;

  /** Throws LoadError where the kernel does not take the programs. */
  constructor() {
    if (!hasHostsPids()) throw new LoadError(FOREIGN_PIDS);
    this.#object = LoadedObject.load(PROCESS_HOOKS, "fentry");
    this.#processes = new RecordMap(this.#object.mapFd("processes"), SIZE.actor);
  }

  /**
   * The process that had this id last. Its user ids are those at its birth or last exec. undefined
   * when another one, born where the tracepoints do not reach, has the id now.
   *
   * @param isReaped the one that is asked for is gone: who has the id now is another one, and it is that one's record
   */
  find(pid: number, isReaped: boolean): Actor | undefined {
    const record = this.#processes.get(pid);
    if (record === undefined) return undefined;
    const actor = decodeActor(record, { monotonic: realtimeOffset(), boottime: boottimeOffset() });
    const holder = readStat(pid);
    if (holder === undefined) return actor;
    if (isReaped) return undefined;
    const started = Date.parse(startTime(holder.startTicks, boottimeOffset()));
    return Math.abs(started - Date.parse(actor.process.start)) <= START_TICK ? actor : undefined;
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
