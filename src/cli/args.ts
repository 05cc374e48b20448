import { normalize, resolve } from "node:path";
import { BpfinkError, ExitStatus } from "../errors.ts";
import { nearest } from "./nearest.ts";

/** Where a value stands, for the message that refuses it. */
export interface Place {
  /** `--watch` on the command line, `watch` in a file. */
  readonly name: string;
  /** To say what a relative path would have to be; undefined in a file. */
  readonly cwd: string | undefined;
}

/** How one value is written. */
export interface Kind<T> {
  /** What stands for the value in --help; undefined for a switch, which takes none. */
  readonly hint: string | undefined;
  /** A value, as people would write it. */
  readonly example?: string;
  /** What the configuration file must hold. */
  readonly toml: "string" | "integer" | "boolean";
  /** Throws BpfinkError with status `usage`. */
  parse(text: string, place: Place): T;
}

interface Described {
  /** For --help, where a row has 80 columns. */
  readonly description: string;
}

/** An option that is given once. */
export interface One<T> extends Described {
  readonly many: false;
  readonly kind: Kind<T>;
  readonly fallback: T;
}

/** An option that can be repeated. */
export interface Many<T> extends Described {
  readonly many: true;
  readonly kind: Kind<T>;
  /** When it is not given at all. */
  readonly fallback: readonly T[];
}

// oxlint-disable-next-line no-explicit-any
export type Arg = One<any> | Many<any>;

/** Options by their names, without the dashes. */
export type Args = Readonly<Record<string, Arg>>;

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/** What a command gets: `log-level` is `logLevel`. */
export type Values<A extends Args> = {
  readonly [Name in keyof A as Camel<Name & string>]: A[Name] extends Many<infer T>
    ? readonly T[]
    : A[Name] extends One<infer T>
      ? T
      : never;
};

export const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

export function one<T, const U = T>(kind: Kind<T>, fallback: U, description: string): One<T | U> {
  return { many: false, kind, fallback, description };
}

export function many<T>(kind: Kind<T>, fallback: readonly T[], description: string): Many<T> {
  return { many: true, kind, fallback, description };
}

/** An option without a value: false, unless it is given. */
export function toggle(description: string): One<boolean> {
  return one({ hint: undefined, toml: "boolean", parse: (text) => text === "true" }, false, description);
}

/** An option with a value, as it is written where the value stands. */
export const written = ({ name, cwd }: Place, value: string): string =>
  cwd === undefined ? `${name} = "${value}"` : `${name} ${value}`;

export const text = (hint: string): Kind<string> => ({ hint, toml: "string", parse: (value) => value });

/**
 * An absolute path or glob, normalised.
 *
 * @param literals words that are taken as they are, `:memory:` say
 */
export function path(hint: string, ...literals: readonly string[]): Kind<string> {
  return {
    hint,
    example: "/etc/motd",
    toml: "string",
    parse: (value, place) => {
      const { name, cwd } = place;
      if (literals.includes(value)) return value;
      if (!value.startsWith("/")) {
        const full = cwd === undefined ? `/${normalize(value)}` : resolve(cwd, value);
        throw usage(`${name} ${value} is a relative path`, `write it in full: ${written(place, full)}`);
      }
      const normal = normalize(value);
      return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
    },
  };
}

export function choice<T extends string>(hint: string, allowed: readonly T[]): Kind<T> {
  return {
    hint,
    ...(allowed[0] === undefined ? {} : { example: allowed[0] }),
    toml: "string",
    parse: (value, { name }) => {
      const found = allowed.find((candidate) => candidate === value);
      if (found !== undefined) return found;
      const near = nearest(value, allowed);
      throw usage(
        `${name} cannot be "${value}"`,
        `${near === undefined ? "" : `did you mean ${near}? `}it is one of ${allowed.join(", ")}`,
      );
    },
  };
}

/** A whole number from `min` to `max`. */
export function integer(hint: string, min: number, max: number): Kind<number> {
  return {
    hint,
    toml: "integer",
    parse: (value, { name }) => {
      const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      throw usage(`${name} cannot be "${value}"`, `it is a whole number from ${min} to ${max}`);
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time span such as `90s`, `10m`, `1h`, `30d`, in milliseconds, at least `min` and at most `days`, by default a year. */
export function duration(hint: string, min: number, days = 366): Kind<number> {
  return {
    hint,
    example: "10m",
    toml: "string",
    parse: (value, { name }) => {
      const [, number = "", unit = ""] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? [];
      const span = Number(number) * (UNITS[unit] ?? Number.NaN);
      if (span >= min && span <= days * UNITS["d"]!) return span;
      const wanted = "it is a number with ms, s, m, h or d behind it, such as 90s or 10m";
      throw usage(`${name} cannot be "${value}"`, `${wanted}, of ${min} ms to ${days}d`);
    },
  };
}

const SIZES: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A size such as `512M`, in bytes, at least `min`. */
export function size(hint: string, min: number): Kind<number> {
  return {
    hint,
    example: "512M",
    toml: "string",
    parse: (value, { name }) => {
      const [, number = "", unit = ""] = /^(\d{1,6})(K|M|G)$/.exec(value) ?? [];
      const bytes = Number(number) * (SIZES[unit] ?? Number.NaN);
      if (bytes >= min) return bytes;
      throw usage(`${name} cannot be "${value}"`, `it is a number with K, M or G behind it, of ${min} bytes or more`);
    },
  };
}

/** A size in bytes that is a power of two from `min` to `max`. */
export function powerOfTwo(hint: string, min: number, max: number): Kind<number> {
  return {
    hint,
    example: "4M",
    toml: "string",
    parse: (value, place) => {
      const bytes = size(hint, min).parse(value, place);
      if (bytes <= max && Number.isInteger(Math.log2(bytes))) return bytes;
      throw usage(`${place.name} cannot be "${value}"`, "it is a power of two, such as 512K, 4M or 1G");
    },
  };
}

export function usage(message: string, hint: string): BpfinkError {
  return new BpfinkError(ExitStatus.usage, message, hint);
}
