import { constants } from "node:os";

/** Number to name, from the platform's own table; where two names share a number, the one that man pages use. */
const names = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) names.set(number, name);
for (const name of ["EAGAIN", "EOPNOTSUPP"] as const) names.set(constants.errno[name], name);

/** `2` → `"ENOENT"`; a number that has no name (kernel-internal ones have none) → `"E524"`. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** A system call that failed: errno(3) and which call on what. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly errno: number;
  /** Symbolic name of `errno`, `"ENOENT"`. */
  readonly code: string;
  /** C name of the function, `"statx"`. */
  readonly call: string;

  constructor(call: string, errno: number, on?: string) {
    const code = errnoName(errno);
    super(on === undefined ? `${call}: ${code}` : `${call} ${on}: ${code}`);
    this.errno = errno;
    this.code = code;
    this.call = call;
  }
}

/** Whether `error` is a failed system call with one of these codes. */
export function hasCode(error: unknown, ...codes: string[]): error is SystemError {
  return error instanceof SystemError && codes.includes(error.code);
}
