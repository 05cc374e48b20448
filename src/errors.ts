/** Exit statuses that bpfink promises to scripts (README, "Exit status"). */
export const ExitStatus = {
  ok: 0,
  differs: 1,
  usage: 2,
  cannotWatch: 3,
  database: 4,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/**
 * The one error that reaches the user: what failed and on what (`message`), what to do about it
 * (`hint`), and the status the process exits with.
 */
export class BpfinkError extends Error {
  override readonly name = "BpfinkError";
  readonly status: ExitStatus;
  readonly hint: string;

  constructor(status: ExitStatus, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.hint = hint;
  }

  /** The whole error on one line, control characters made visible. */
  override toString(): string {
    return printable(`${this.message}; ${this.hint}`);
  }
}

/** Text of an unknown thrown value, on one line. */
export function messageOf(error: unknown): string {
  if (error instanceof BpfinkError) return error.toString();
  return printable(error instanceof Error ? error.message : String(error));
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ");
}
