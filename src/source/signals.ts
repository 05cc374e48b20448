import { constants } from "node:os";
import { SIGNAL_HOOKS } from "../kernel/hooks.ts";
import { boottimeOffset, raise, realtimeOffset } from "../kernel/libc.ts";
import { LoadedObject, LoadError } from "../kernel/load.ts";
import { RecordMap } from "../kernel/maps.ts";
import { pidNamespace } from "../kernel/namespace.ts";
import { decodeSender, encodeAddressee, isFound, type Sender, SIZE } from "./decode.ts";

/** A signal that does nothing to a process that does not ask for it (signal(7)). */
const HARMLESS = constants.signals.SIGURG;

/**
 * Who sends bpfink signals, noted by the kernel when they are sent (bpf/signals.bpf.h): so it is known
 * before their handlers run.
 */
export class SignalTable implements Disposable {
  readonly #object: LoadedObject;
  readonly #signals: RecordMap;

  /** Throws LoadError where the kernel does not take the program, or does not run it. */
  constructor() {
    this.#object = LoadedObject.load(SIGNAL_HOOKS, "fentry");
    this.#signals = new RecordMap(this.#object.mapFd("signals"), SIZE.sent_signal);
    const addressee = new RecordMap(this.#object.mapFd("addressee"), SIZE.addressee);
    addressee.set(0, encodeAddressee(process.pid, pidNamespace()));
    raise(HARMLESS);
    if (isFound(addressee.get(0)!)) return;
    this[Symbol.dispose]();
    throw new LoadError("a signal to ourselves was not seen");
  }

  /** Who sent the first of these signals that was not asked for yet; undefined where none was sent. */
  take(signal: NodeJS.Signals): Sender | undefined {
    const number = constants.signals[signal];
    const record = this.#signals.get(number);
    const sender = record && decodeSender(record, { monotonic: realtimeOffset(), boottime: boottimeOffset() });
    this.#signals.set(number, new Uint8Array(SIZE.sent_signal));
    return sender;
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
