import { Buffer } from "node:buffer";
import { join } from "node:path";

/** The host's end of a virtio-serial port: a Unix socket that QEMU connects to. */
export interface Port extends Disposable {
  name: string;
  socket: string;
}

function listen(name: string, directory: string, onData: (chunk: Uint8Array) => void): Port {
  const socket = join(directory, `${name}.socket`);
  const server = Bun.listen({
    unix: socket,
    socket: { data: (_, chunk) => onData(chunk) },
  });
  return { name, socket, [Symbol.dispose]: () => server.stop(true) };
}

/** A port on which the guest writes one line per step it reaches. */
export interface ControlPort extends Port {
  /** What follows the word in the first line that starts with it, as soon as it has come. */
  step(word: string): Promise<string>;
  /** Fulfilled when no line has come for so long, in milliseconds. */
  silence(milliseconds: number): Promise<"silent">;
}

export function controlPort(directory: string): ControlPort {
  const steps = new Map<string, PromiseWithResolvers<string>>();
  const stepOf = (word: string): PromiseWithResolvers<string> => {
    const step = steps.get(word) ?? Promise.withResolvers<string>();
    steps.set(word, step);
    return step;
  };
  let partial = "";
  let heard = performance.now();
  const port = listen("control", directory, (chunk) => {
    heard = performance.now();
    const lines = (partial + Buffer.from(chunk).toString("latin1")).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) {
      const [word = "", ...rest] = line.split(" ");
      stepOf(word).resolve(rest.join(" "));
    }
  });
  const silence = (milliseconds: number): Promise<"silent"> => {
    const { promise, resolve } = Promise.withResolvers<"silent">();
    const listenOn = () => {
      const left = heard + milliseconds - performance.now();
      if (left <= 0) resolve("silent");
      else setTimeout(listenOn, left).unref();
    };
    listenOn();
    return promise;
  };
  return { ...port, step: (word) => stepOf(word).promise, silence };
}

/** A port on which the guest writes bytes, and after the last one the token. */
export interface StreamPort extends Port {
  /** Fulfilled when the token has come. */
  complete: Promise<void>;
  /** What has come so far, without the token. */
  bytes(): Buffer;
}

/** @param onData called with each piece as it comes; never with a part of the token */
export function streamPort(
  name: string,
  directory: string,
  token: string,
  onData?: (chunk: Uint8Array) => void,
): StreamPort {
  const end = Buffer.from(token);
  const chunks: Buffer[] = [];
  const complete = Promise.withResolvers<void>();
  let held = Buffer.alloc(0);
  const port = listen(name, directory, (chunk) => {
    const all = Buffer.concat([held, chunk]);
    const kept = partOfToken(all, end);
    const ready = all.subarray(0, all.length - kept);
    held = all.subarray(all.length - kept);
    if (ready.length > 0) {
      chunks.push(ready);
      onData?.(ready);
    }
    if (kept === end.length) complete.resolve();
  });
  return { ...port, complete: complete.promise, bytes: () => Buffer.concat(chunks) };
}

/** Length of the longest end of `bytes` with which `token` starts. */
export function partOfToken(bytes: Uint8Array, token: Uint8Array): number {
  for (let length = Math.min(bytes.length, token.length); length > 0; length--) {
    if (Buffer.compare(bytes.subarray(bytes.length - length), token.subarray(0, length)) === 0) return length;
  }
  return 0;
}
