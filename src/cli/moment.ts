import { duration, type Kind, type Place, usage } from "./args.ts";

/** Dates without a time of day begin at midnight; without a zone all is UTC, as in the lines. */
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A moment: a date, a time (RFC 3339), or how long ago it was (`2h`). Its value is RFC 3339 in UTC with
 * microseconds, as the lines have it, which compares as text.
 *
 * @param now milliseconds since the epoch
 */
export function moment(hint: string, now = Date.now): Kind<string> {
  const ago = duration(hint, 0, 36_600);
  const parse = (value: string, place: Place): string => {
    const [, date, minutes = "00:00", seconds = ":00", zone = "Z"] = DATE.exec(value) ?? [];
    if (date === undefined && !/^\d+[a-z]+$/.test(value)) throw unusable(value, place);
    if (date === undefined) return withMicroseconds(now() - ago.parse(value, place));
    const time = Date.parse(`${date}T${minutes}${seconds}${zone}`);
    // Date.parse takes the 30th of February for the 2nd of March
    if (Number.isNaN(time) || !isDate(date)) throw unusable(value, place);
    const fraction = (seconds.split(".")[1] ?? "").padEnd(6, "0").slice(0, 6);
    return withMicroseconds(time).replace(/\.\d{6}/, `.${fraction}`);
  };
  return { hint, toml: "string", parse };
}

const withMicroseconds = (time: number): string => new Date(time).toISOString().replace("Z", "000Z");

const isDate = (date: string): boolean => new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);

function unusable(value: string, { name }: Place): Error {
  return usage(
    `${name} cannot be "${value}"`,
    "write how long ago (90s, 2h, 7d), or 2026-11-01, or 2026-11-01T12:00:00Z",
  );
}
