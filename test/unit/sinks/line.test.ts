import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hostname } from "node:os";
import { version } from "../../../package.json";
import type { Difference } from "../../../src/consumers/consumer.ts";
import type { Actor } from "../../../src/event.ts";
import { changeLine, now, ownLine, rfc3339 } from "../../../src/sinks/line.ts";
import { actorOf, sightingOf } from "../watch/events.ts";

const names = {
  userName: (uid: number) => `user${uid}`,
  fingerprint: (secret: string) => `print${secret.length}`,
};

const difference: Difference = {
  action: "modified",
  consumer: "generic",
  message: "/etc/x modified",
  details: { del: [], generic: { size: [1, 2] } },
};

const change = { seq: 7, backend: "ebpf/fentry", origin: "live", file: "/etc/x", difference, names } as const;
const last = { last: 1_700_000_000_123_456_789n };
const head = {
  time: "2023-11-14T22:13:20.123456Z",
  seq: 7,
  level: "warn",
  message: "/etc/x modified",
  host: hostname(),
  version,
  action: "modified",
  origin: "live",
  backend: "ebpf/fentry",
  consumer: "generic",
  file: "/etc/x",
  del: [],
  generic: { size: [1, 2] },
};

/** Compares texts: the order of the keys counts. */
const expectLine = (line: string, expected: object) => expect(line).toBe(JSON.stringify(expected));

describe("a time", () => {
  test.each([
    [0n, "1970-01-01T00:00:00.000000Z"],
    [999n, "1970-01-01T00:00:00.000000Z"],
    [1_000n, "1970-01-01T00:00:00.000001Z"],
    [999_999_999n, "1970-01-01T00:00:00.999999Z"],
    [1_700_000_000_000_001_000n, "2023-11-14T22:13:20.000001Z"],
    [1_709_164_799_999_999_999n, "2024-02-28T23:59:59.999999Z"],
  ])("of %p is %s", (time, text) => {
    expect(rfc3339(time)).toBe(text);
  });

  test("is a date and its microseconds", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 4_000_000_000_000_000n), (micros) => {
        const text = rfc3339(micros * 1000n);
        expect(BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1000n + BigInt(text.slice(20, 26))).toBe(micros);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      }),
    );
  });

  test("of now lies between two readings of the clock", () => {
    const before = Date.now();
    const time = Number(now() / 1_000_000n);
    // the two clocks of the runtime may be apart by what the system clock was slewed since it started
    expect(time).toBeGreaterThanOrEqual(before - 1000);
    expect(time).toBeLessThanOrEqual(Date.now() + 1000);
  });
});

describe("a change", () => {
  test("by one process", () => {
    const line = changeLine({ ...change, sightings: [sightingOf(actorOf(42), last)] });
    expectLine(line, {
      ...head,
      process: actorOf(42).process,
      processName: "vim",
      user: "user0",
    });
  });

  test("by somebody who logged in as another and became a third", () => {
    const actor: Actor = { ...actorOf(42), uid: 1000, euid: 0, loginuid: 1001 };
    expectLine(changeLine({ ...change, sightings: [sightingOf(actor, last)] }), {
      ...head,
      process: actor.process,
      processName: "vim",
      user: "user1000",
      loginUser: "user1001",
      effectiveUser: "user0",
    });
  });

  test("by two processes names the last, and then both", () => {
    const [first, second] = [actorOf(1, { name: "sed" }), actorOf(2)];
    const line = changeLine({ ...change, sightings: [sightingOf(first), sightingOf(second, last)] });
    const described = [first, second].map(({ process }) => ({ process, processName: process.name, user: "user0" }));
    expectLine(line, { ...head, ...described[1], actors: described });
    const more = [sightingOf(first), sightingOf(second, { ...last, hasOthers: true })];
    expectLine(changeLine({ ...change, sightings: more }), {
      ...{ ...head, ...described[1], actors: described },
      moreActors: true,
    });
  });

  test("by nobody that is known", () => {
    expectLine(changeLine({ ...change, sightings: [sightingOf(undefined, last)] }), head);
  });

  test("by a process that is known and then one that is not names the one", () => {
    const line = changeLine({ ...change, sightings: [sightingOf(actorOf(1)), sightingOf(undefined, last)] });
    expectLine(line, { ...head, process: actorOf(1).process, processName: "vim", user: "user0" });
  });

  test("that was not seen live has the time of its discovery", () => {
    const before = now();
    const { time, ...rest } = JSON.parse(changeLine({ ...change, origin: "startup", sightings: [] }));
    const { time: _, ...expected } = { ...head, origin: "startup" };
    expect(rest).toEqual(expected);
    expect(time >= rfc3339(before) && time <= rfc3339(now())).toBe(true);
  });

  test("has the processes' own keys in the README's order, whatever made them", () => {
    const { process } = JSON.parse(changeLine({ ...change, sightings: [sightingOf(actorOf(42), last)] }));
    expect(Object.keys(process)).toEqual(["pid", "ppid", "name", "executable", "args", "start", "session"]);
  });

  test("shows no password of a command line", () => {
    const args = ["usermod", "-p", "$6$saltsaltsalt$hashhashhash", "root"];
    const line = changeLine({ ...change, sightings: [sightingOf(actorOf(42, { args }), last)] });
    expect(JSON.parse(line).process.args).toHaveLength(4);
    expect(line).not.toContain("saltsalt");
    expect(line).not.toContain("hashhash");
  });
});

test("a line is one line, whatever the names hold", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      const actor = actorOf(1, { name: text, executable: text, args: [text] });
      const file = `/${text}\n\u0000\u2028\udcff`;
      const line = changeLine({ ...change, file, sightings: [sightingOf(actor, last)] });
      expect(line).not.toMatch(/[\n\r\0]/);
      expect(Buffer.from(line).toString()).toBe(line); // valid UTF-8
      expect(JSON.parse(line)).toMatchObject({ file, processName: text });
    }),
  );
});

test("bpfink says of itself what it does", () => {
  const before = now();
  const line = ownLine({
    seq: 1,
    level: "info",
    action: "started",
    message: "bpfink started",
    backend: "fanotify",
    details: { watched: 3, missing: 1 },
  });
  const { time } = JSON.parse(line) as { time: string };
  expect(time >= rfc3339(before) && time <= rfc3339(now())).toBe(true);
  expectLine(line, {
    time,
    seq: 1,
    level: "info",
    message: "bpfink started",
    host: hostname(),
    version,
    action: "started",
    backend: "fanotify",
    watched: 3,
    missing: 1,
  });
});
