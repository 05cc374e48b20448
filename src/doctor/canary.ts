import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { messageOf } from "../errors.ts";
import { statx } from "../kernel/libc.ts";
import type { Source } from "../source/source.ts";
import { SuperBlocks } from "../watch/mounts.ts";

/** Changes that are made, one after the other was seen. */
const ROUNDS = 5;
/** The event of a change is there within milliseconds; this is for a machine that is overloaded. Milliseconds. */
const LIMIT = 5000;
/** eBPF tells no second write of one process within 5 ms of the first (SAME_WRITE_NS in bpf/watch.bpf.h). Milliseconds. */
const APART = 10;

/** What came of changing a file that is watched. */
export interface Sung {
  readonly seen: boolean;
  /** From before the write to the event in our hands, in milliseconds. */
  readonly latency?: { readonly median: number; readonly max: number };
  readonly directory: string;
  /** Why nothing was seen. */
  readonly reason?: string;
}

/** Where the file is made: the first of them that can be written. */
const PLACES = [tmpdir(), "/run", "/dev/shm"];

function makeDirectory(): string {
  let failure: unknown;
  for (const place of PLACES) {
    try {
      return mkdtempSync(join(place, "bpfink-doctor-"));
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** Changes a file of its own several times, and waits for each change to come through the source. */
export async function sing(source: Source): Promise<Sung> {
  let own: string;
  try {
    own = makeDirectory();
  } catch (error) {
    return { seen: false, directory: "", reason: `there is no place for a file to change: ${messageOf(error)}` };
  }
  const directory = dirname(own);
  const path = join(own, "canary");
  const fd = openSync(path, "wx", 0o600);
  let heard = Promise.withResolvers<string | undefined>();
  try {
    const stat = statx(fd);
    const device = new SuperBlocks().deviceOf(stat);
    const key = source.watch({ path, device, inode: stat.inode, as: "file", inherit: false });
    source.start({
      onEvent: ({ node }) => {
        if (node !== undefined && node === key) heard.resolve(undefined);
      },
      onLost: () => {},
      onBlind: (reason, remedy) => heard.resolve(`${reason}; ${remedy}`),
      onError: (error) => heard.resolve(messageOf(error)),
    });
    const latencies: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await Bun.sleep(APART);
      heard = Promise.withResolvers();
      const timer = setTimeout(() => heard.resolve(`no event within ${LIMIT} ms`), LIMIT);
      const begin = performance.now();
      writeSync(fd, String(round), 0);
      const reason = await heard.promise;
      clearTimeout(timer);
      if (reason !== undefined) return { seen: false, directory, reason };
      latencies.push(performance.now() - begin);
    }
    latencies.sort((a, b) => a - b);
    const round = (value: number) => Math.round(value * 1000) / 1000;
    return {
      seen: true,
      directory,
      latency: { median: round(latencies[ROUNDS >> 1]!), max: round(latencies.at(-1)!) },
    };
  } catch (error) {
    return { seen: false, directory, reason: messageOf(error) };
  } finally {
    closeSync(fd);
    rmSync(own, { recursive: true, force: true });
  }
}
