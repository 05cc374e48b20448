// Posts batches for as long as the backlog lets it.
import { Backlog } from "../../../src/kernel/backlog.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<{ memory: SharedArrayBuffer; limit: number; batches: number }>) => {
  const backlog = new Backlog(data.memory);
  for (let i = 0; i < data.batches; i++) {
    backlog.waitBelow(data.limit);
    backlog.add(10);
    self.postMessage(i);
  }
};
