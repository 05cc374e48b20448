import type { Fingerprint } from "../consumer.ts";
import { isCompat, type Parsed, parseDatabase, type ReadFields, shownName } from "./lines.ts";
import { describePassword, isEntryName, type Password } from "./password.ts";

/** A line of shadow(5). What is left empty in the file is left out here. */
export interface ShadowEntry extends Password {
  readonly user: string;
  /** Day of the last password change, as YYYY-MM-DD. */
  readonly lastChange?: string;
  /** The password must be changed at the next login (0 in the file). */
  readonly mustChange?: true;
  readonly minDays?: number;
  readonly maxDays?: number;
  readonly warnDays?: number;
  readonly inactiveDays?: number;
  /** Day on which the account expires, as YYYY-MM-DD. */
  readonly expires?: string;
  readonly flag?: number;
}

const FIELDS = 9;
/** glibc takes lines that end after the fifth field, as they were before 1988 (shadow/sgetspent_r.c). */
const FEWEST_FIELDS = 5;

/** shadow(5). Nothing of a password leaves this function but its fingerprint. */
export function parseShadow(content: Uint8Array, fingerprint: Fingerprint): Parsed<ShadowEntry> {
  const read: ReadFields<ShadowEntry> = (fields, problem) => {
    const [name = "", password = "", lastChange, minDays, maxDays, warnDays, inactiveDays, expires, flag] = fields;
    const compat = isCompat(name);
    if (fields.length !== FIELDS && !compat) problem(`${FIELDS} fields expected, not ${fields.length}`);
    if (fields.length < FEWEST_FIELDS && !compat) return undefined;
    if (!isEntryName(name, password, fields.length === FIELDS)) {
      problem("the first field is not a user name");
      return undefined;
    }
    if (name === "") problem("no user name");
    const number = (key: keyof ShadowEntry, field: string | undefined) => {
      if (field === undefined || field === "") return {};
      if (NUMBER.test(field)) return { [key]: Number(field) };
      problem(`${key} is not a number`);
      return {};
    };
    const day = (key: "lastChange" | "expires", field: string | undefined) => {
      const days: number | undefined = (number(key, field) as Record<string, number>)[key];
      if (days === undefined) return {};
      return key === "lastChange" && days === 0 ? { mustChange: true as const } : { [key]: isoDay(days) };
    };
    return {
      user: shownName(name, fingerprint),
      ...(fields.length > 1 ? describePassword(password, fingerprint) : {}),
      ...day("lastChange", lastChange),
      ...number("minDays", minDays),
      ...number("maxDays", maxDays),
      ...number("warnDays", warnDays),
      ...number("inactiveDays", inactiveDays),
      ...day("expires", expires),
      ...number("flag", flag),
    };
  };
  return parseDatabase(content, read);
}

const NUMBER = /^-?\d{1,15}$/;
const LAST_DAY = 2_932_896;

/** Days since the epoch as a date; beyond the year 9999, or before 1970, as they are. */
function isoDay(days: number): string {
  if (days < 0 || days > LAST_DAY) return `${days} days`;
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}
