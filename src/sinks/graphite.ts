import CarbonClient from "graphite/lib/CarbonClient.js";
import GraphiteClient from "graphite/lib/GraphiteClient.js";
import LazySocket from "graphite/lib/LazySocket.js";

/** A server that has not taken the metrics by then is given up until the next time, in milliseconds. */
export const TIMEOUT = 5_000;

/** Where metrics go, `HOST:PORT`. */
export interface Server {
  readonly host: string;
  readonly port: number;
}

/** Values by metric name. */
export type Metrics = Readonly<Record<string, number>>;

/**
 * Sends metrics to Carbon, one connection each time. The graphite package calls back twice, or never,
 * keeps what a slow server does not take, and loses its socket's second error; so each sending has a
 * client of its own, one end, and a limit of time. What is not taken is dropped, never kept: the next
 * sending has newer values.
 */
export class GraphiteSink implements Disposable {
  readonly #server: Server;
  #abandon: (() => void) | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Resolves, never throws: undefined when the server took them, else why not. */
  send(metrics: Metrics, timeout = TIMEOUT): Promise<string | undefined> {
    if (this.#abandon !== undefined) return Promise.resolve("the last ones are still on their way");
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const socket = LazySocket.createConnection(this.#server.port, this.#server.host);
    const client = new GraphiteClient({ carbon: new CarbonClient({ socket }) });
    let isOver = false;
    const end = (failure: string | undefined) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#abandon = undefined;
      // a write that was taken is with the kernel, which sends it after the close, too
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => end(`no answer within ${timeout} ms`), timeout);
    timer.unref();
    this.#abandon = () => end("stopped");
    try {
      client.write(metrics, undefined, (error) => end(error?.message));
    } catch (error) {
      end(error instanceof Error ? error.message : String(error));
    }
    return promise;
  }

  [Symbol.dispose](): void {
    this.#abandon?.();
  }
}
