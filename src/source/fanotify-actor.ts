import type { Actor } from "../event.ts";
import { FAN_NOPIDFD } from "../kernel/fanotify-abi.ts";
import { pidfdAlive } from "../kernel/libc.ts";
import type { FanotifyEvent } from "./fanotify-decode.ts";
import { readProcess } from "./process.ts";
import type { ProcessTable } from "./processes.ts";

/** Who acted, read at most once per process for all events that were read together. */
export class ActorCache {
  readonly #processes: ProcessTable | undefined;
  /** By process id, of those that are gone by its negative: another may have the number since. */
  readonly #actors = new Map<number, Actor | undefined>();

  constructor(processes: ProcessTable | undefined) {
    this.#processes = processes;
  }

  of(event: FanotifyEvent): Actor | undefined {
    const { pid } = event;
    if (pid <= 0) return undefined;
    const key = event.pidfd === FAN_NOPIDFD ? -pid : pid;
    if (!this.#actors.has(key)) this.#actors.set(key, this.#read(event));
    return this.#actors.get(key);
  }

  /** From /proc if it is all there; a zombie has lost its executable and arguments, a kernel thread never had them. */
  #read(event: FanotifyEvent): Actor | undefined {
    const alive = readAlive(event);
    if (alive !== undefined && alive.process.executable !== "") return alive;
    return this.#processes?.find(event.pid, isReaped(event)) ?? alive;
  }
}

function readAlive(event: FanotifyEvent): Actor | undefined {
  if (event.pidfd === FAN_NOPIDFD) return undefined;
  const actor = readProcess(event.pid);
  // Checked after reading: a process that still is there had the number all the while.
  return isReaped(event) ? undefined : actor;
}

/** Whether it is known that the process has given back its number. */
const isReaped = ({ pidfd }: FanotifyEvent): boolean =>
  pidfd === FAN_NOPIDFD || (pidfd !== undefined && pidfd >= 0 && !pidfdAlive(pidfd));
