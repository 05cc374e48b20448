/** What the other formats read of a line. Everything may be missing but the first few (docs/lines.md). */
export interface Fields {
  readonly time: string;
  readonly seq?: number;
  readonly level: string;
  readonly message: string;
  readonly host: string;
  readonly version: string;
  readonly action: string;
  readonly backend?: string;
  readonly hash?: string;
  readonly file?: string;
  readonly previous?: string;
  readonly consumer?: string;
  readonly why?: string;
  readonly generic?: Readonly<Record<string, unknown>>;
  readonly attributes?: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
  readonly process?: {
    readonly pid: number;
    readonly ppid: number;
    readonly name: string;
    readonly executable: string;
    readonly args: readonly string[];
    readonly tty?: string;
    readonly session?: number;
    readonly container?: string;
    readonly start: string;
    readonly ancestors?: readonly { readonly pid: number; readonly name: string; readonly executable: string }[];
  };
  readonly user?: string;
  readonly loginUser?: string;
  readonly effectiveUser?: string;
  readonly [key: string]: unknown;
}

/** What is there now, of a value that is `{from, to}` where it changed. */
export function present<T>(value: unknown, type: "string" | "number"): T | undefined {
  const now = typeof value === "object" && value !== null && "to" in value ? value.to : value;
  return typeof now === type && now !== "" ? (now as T) : undefined;
}

/** SHA-256 of the content now; undefined where it is not told, or keyed. */
export function sha256Of({ generic }: Fields): string | undefined {
  const next = generic?.["next"];
  return typeof next === "string" && /^[0-9a-f]{64}$/.test(next) ? next : undefined;
}

/** Some of the keys, those that are there. */
export function pick(fields: Fields, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => fields[key] !== undefined).map((key) => [key, fields[key]]));
}
