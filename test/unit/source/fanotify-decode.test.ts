import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { closeSync, mkdtempSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeKey } from "../../../src/event.ts";
import * as abi from "../../../src/kernel/fanotify-abi.ts";
import { fanotifyInit, fanotifyMark, isRoot } from "../../../src/kernel/libc.ts";
import { decodeEvents, handleOf, kindsOf, nodeKey } from "../../../src/source/fanotify-decode.ts";

/** struct fanotify_event_metadata and its records, as the kernel writes them. */
function event(mask: number, pid: number, ...records: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(records);
  const head = Buffer.alloc(24);
  head.writeUInt32LE(24 + body.length, 0);
  head.writeUInt8(abi.FANOTIFY_METADATA_VERSION, 4);
  head.writeUInt16LE(24, 6);
  head.writeBigUInt64LE(BigInt(mask), 8);
  head.writeInt32LE(-1, 16);
  head.writeInt32LE(pid, 20);
  return Buffer.concat([head, body]);
}

function record(type: number, body: Uint8Array): Uint8Array {
  const length = (4 + body.length + 3) & ~3;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16LE(length, 2);
  bytes.set(body, 4);
  return bytes;
}

const fsid = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

function fid(type: number, handle: number[], name?: string): Uint8Array {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(handle.length, 0);
  head.writeInt32LE(0x81, 4);
  return record(
    type,
    Buffer.concat([fsid, head, new Uint8Array(handle), Buffer.from(name === undefined ? "" : `${name}\0`)]),
  );
}

const key = (...handle: number[]): NodeKey => nodeKey(fsid, { type: 0x81, bytes: new Uint8Array(handle) });

describe("decodeEvents", () => {
  test("events of every shape", () => {
    const pidfd = Buffer.alloc(4);
    pidfd.writeInt32LE(9);
    const bytes = Buffer.concat([
      event(
        abi.FAN_MODIFY,
        7,
        fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1], "naïve"),
        fid(abi.FAN_EVENT_INFO_TYPE_FID, [2, 0]),
        record(abi.FAN_EVENT_INFO_TYPE_PIDFD, pidfd),
      ),
      event(
        abi.FAN_RENAME,
        7,
        fid(abi.FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, [1], "a"),
        fid(abi.FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, [3], "b"),
      ),
      event(abi.FAN_ATTRIB | abi.FAN_ONDIR, 7, fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1], ".")),
      event(abi.FAN_DELETE_SELF, 0, fid(abi.FAN_EVENT_INFO_TYPE_DFID, [1])),
      event(abi.FAN_Q_OVERFLOW, 0, fid(abi.FAN_EVENT_INFO_TYPE_FID, [])),
      event(abi.FAN_CREATE, 7, record(200, new Uint8Array(9)), fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1], "new")),
    ]);
    expect(decodeEvents(bytes)).toEqual({
      events: [
        { mask: abi.FAN_MODIFY, pid: 7, pidfd: 9, node: key(2, 0), entries: [{ directory: key(1), name: "naïve" }] },
        {
          mask: abi.FAN_RENAME,
          pid: 7,
          pidfd: undefined,
          node: undefined,
          entries: [
            { directory: key(1), name: "a" },
            { directory: key(3), name: "b" },
          ],
        },
        { mask: abi.FAN_ATTRIB | abi.FAN_ONDIR, pid: 7, pidfd: undefined, node: key(1), entries: [] },
        { mask: abi.FAN_DELETE_SELF, pid: 0, pidfd: undefined, node: key(1), entries: [] },
        { mask: abi.FAN_Q_OVERFLOW, pid: 0, pidfd: undefined, node: undefined, entries: [] },
        {
          mask: abi.FAN_CREATE,
          pid: 7,
          pidfd: undefined,
          node: undefined,
          entries: [{ directory: key(1), name: "new" }],
        },
      ],
      rest: 0,
    });
  });

  test("a view into a larger buffer", () => {
    const bytes = event(abi.FAN_CREATE, 7, fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1], "x"));
    const padded = Buffer.concat([new Uint8Array(13).fill(255), bytes, new Uint8Array(5).fill(255)]);
    expect(decodeEvents(padded.subarray(13, 13 + bytes.length))).toEqual(decodeEvents(bytes));
  });

  test("what is no event is left over", () => {
    const bytes = event(abi.FAN_CREATE, 7, fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1], "x"));
    const otherVersion = new Uint8Array(bytes);
    otherVersion[4] = 4;
    expect(decodeEvents(Buffer.concat([bytes, otherVersion]))).toMatchObject({
      events: [{ pid: 7 }],
      rest: bytes.length,
    });
    expect(decodeEvents(bytes.subarray(0, -1))).toEqual({ events: [], rest: bytes.length - 1 });
    expect(decodeEvents(new Uint8Array(24))).toEqual({ events: [], rest: 24 });
  });

  test("garbage never throws, and never makes more events than fit", () => {
    const check = (bytes: Uint8Array) => {
      const { events, rest } = decodeEvents(bytes);
      expect(events.length * abi.FAN_EVENT_METADATA_LEN + rest).toBeLessThanOrEqual(bytes.length);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check));
    // Nearly right is where decoders fail.
    const right = Buffer.concat([
      event(
        abi.FAN_MODIFY,
        7,
        fid(abi.FAN_EVENT_INFO_TYPE_DFID_NAME, [1, 2, 3], "name"),
        fid(abi.FAN_EVENT_INFO_TYPE_FID, [2]),
      ),
      event(
        abi.FAN_RENAME,
        7,
        fid(abi.FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, [1], "a"),
        fid(abi.FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, [3], "b"),
      ),
    ]);
    const damage = fc.array(fc.tuple(fc.nat(right.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = new Uint8Array(right);
        for (const [at, value] of changes) bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 5000 },
    );
  });
});

test("a key gives its handle back", () => {
  expect(handleOf(key(1, 2, 255))).toEqual({ type: 0x81, bytes: new Uint8Array([1, 2, 255]) });
});

test("merged events have all their kinds", () => {
  expect(kindsOf(abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE)).toEqual(["write", "close"]);
  expect(kindsOf(abi.FAN_CREATE | abi.FAN_DELETE | abi.FAN_ONDIR)).toEqual(["birth", "gone"]);
  expect(kindsOf(abi.FAN_MOVED_FROM)).toEqual(["rename"]);
  expect(kindsOf(abi.FAN_Q_OVERFLOW)).toEqual([]);
});

describe.skipIf(!isRoot())("bytes of this kernel", () => {
  let bytes: Uint8Array;

  /** @param format beyond what Linux 5.9 has */
  function recordBytes(format: number, mask: number): Uint8Array {
    const directory = mkdtempSync(join(tmpdir(), "bpfink-decode-"));
    const report = abi.FAN_REPORT_FID | abi.FAN_REPORT_DFID_NAME | format;
    const fd = fanotifyInit(abi.FAN_CLOEXEC | abi.FAN_NONBLOCK | report);
    try {
      fanotifyMark(fd, abi.FAN_MARK_ADD, mask | abi.FAN_EVENT_ON_CHILD | abi.FAN_ONDIR, directory);
      writeFileSync(join(directory, "a"), "x");
      renameSync(join(directory, "a"), join(directory, "b"));
      const buffer = new Uint8Array(65536);
      return buffer.slice(0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
      rmSync(directory, { recursive: true });
    }
  }

  const mask = abi.FAN_CREATE | abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE;

  beforeAll(() => {
    bytes = recordBytes(0, mask | abi.FAN_MOVED_FROM | abi.FAN_MOVED_TO);
  });

  test("the format of Linux 5.9", () => {
    const { events, rest } = decodeEvents(bytes);
    expect(rest).toBe(0);
    const directory = events[0]!.entries[0]!.directory;
    const file = events[1]!.node!;
    const at = (name: string) => [{ directory, name }];
    const common = { pid: process.pid, pidfd: undefined };
    expect(events).toEqual([
      // The kernel merges what one process did to one name, and to one object.
      { ...common, mask: abi.FAN_CREATE | abi.FAN_MOVED_FROM, node: undefined, entries: at("a") },
      { ...common, mask: abi.FAN_MODIFY | abi.FAN_CLOSE_WRITE, node: file, entries: at("a") },
      { ...common, mask: abi.FAN_MOVED_TO, node: undefined, entries: at("b") },
    ]);
    expect(file).not.toBe(directory);
  });

  test("cut anywhere, it gives the events that are whole", () => {
    const whole = decodeEvents(bytes).events;
    for (let length = 0; length < bytes.length; length++) {
      const { events, rest } = decodeEvents(bytes.subarray(0, length));
      expect(events).toEqual(whole.slice(0, events.length));
      expect(events.length < whole.length && rest <= length).toBeTrue();
    }
  });

  test("the format of Linux 5.17: both names in one event, the object in all of them", () => {
    let recorded: Uint8Array;
    try {
      recorded = recordBytes(abi.FAN_REPORT_TARGET_FID, mask | abi.FAN_RENAME);
    } catch {
      return; // an older kernel
    }
    const { events } = decodeEvents(recorded);
    const { node, entries } = events[0]!;
    const directory = entries[0]!.directory;
    const common = { pid: process.pid, pidfd: undefined, node };
    expect(node).toBeString();
    expect(events).toEqual([
      { ...common, mask, entries: [{ directory, name: "a" }] },
      {
        ...common,
        mask: abi.FAN_RENAME,
        entries: [
          { directory, name: "a" },
          { directory, name: "b" },
        ],
      },
    ]);
  });
});
