import { expect, test } from "bun:test";
import { Backlog } from "../../../src/kernel/backlog.ts";

test("a thread that posts waits until what it posted is taken, and loses nothing", async () => {
  const [limit, batches] = [100, 1000];
  const backlog = new Backlog();
  const worker = new Worker(new URL("./backlog.worker.ts", import.meta.url));
  const taken: number[] = [];
  let most = 0;
  const done = Promise.withResolvers<void>();
  worker.onerror = (event) => done.reject(new Error(event.message));
  worker.onmessage = ({ data }: MessageEvent<number>) => {
    taken.push(data);
    most = Math.max(most, backlog.bytes);
    backlog.take(10);
    if (taken.length === batches) done.resolve();
  };
  try {
    worker.postMessage({ memory: backlog.memory, limit, batches });
    // not an event is taken while this thread is busy
    const deadline = performance.now() + 10_000;
    while (backlog.bytes < limit && performance.now() < deadline) Atomics.wait(new Int32Array(backlog.memory), 0, 0, 1);
    const end = performance.now() + 50;
    while (performance.now() < end) expect(backlog.bytes).toBe(limit);
    await done.promise;
    expect(taken).toEqual(Array.from({ length: batches }, (_, i) => i));
    expect(most).toBe(limit);
    expect(backlog.bytes).toBe(0);
  } finally {
    worker.terminate();
  }
});
