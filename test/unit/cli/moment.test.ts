import { expect, test } from "bun:test";
import { moment } from "../../../src/cli/moment.ts";
import { BpfinkError } from "../../../src/errors.ts";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0, 5);
const kind = moment("TIME", () => NOW);
const parse = (text: string) => kind.parse(text, { name: "--since", cwd: "/" });

test.each([
  ["2h", "2026-11-23T10:00:00.005000Z"],
  ["7d", "2026-11-16T12:00:00.005000Z"],
  ["0s", "2026-11-23T12:00:00.005000Z"],
  ["2026-11-01", "2026-11-01T00:00:00.000000Z"],
  ["2026-11-01T12:30", "2026-11-01T12:30:00.000000Z"],
  ["2026-11-01 12:30:05", "2026-11-01T12:30:05.000000Z"],
  ["2026-11-01T12:30:05Z", "2026-11-01T12:30:05.000000Z"],
  ["2026-11-01T12:30:05.1234567Z", "2026-11-01T12:30:05.123456Z"],
  ["2026-11-01T00:30:00+02:00", "2026-10-31T22:30:00.000000Z"],
])("%s is %s", (text, time) => expect(parse(text)).toBe(time));

test.each(["yesterday", "2", "2x", "2026-02-30", "2026-13-01", "2026-11-1", "2026-11-01T25:00", "-2h", "9999999h"])(
  "%s is refused",
  (text) => expect(() => parse(text)).toThrow(BpfinkError),
);
