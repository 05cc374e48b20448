import { ecs } from "./ecs.ts";
import { ocsf } from "./ocsf.ts";

/** What --format takes. */
export const FORMATS = ["bpfink", "ecs", "ocsf"] as const;
export type Format = (typeof FORMATS)[number];

/** What is printed of a line, by format. */
export const PRINTED: Readonly<Record<Format, (line: string) => string>> = { bpfink: (line) => line, ecs, ocsf };

/**
 * The line that was printed in whatever format, also where somebody wrote its JSON anew since; what is
 * no such line is returned as it is.
 */
export function originalOf(printed: Buffer): Buffer {
  if (printed.toString("latin1", 0, 9) === '{"time":"') return printed;
  try {
    const { event, raw_data: raw } = JSON.parse(printed.toString()) as {
      event?: { original?: unknown };
      raw_data?: unknown;
    };
    const original = event?.original ?? raw;
    return typeof original === "string" ? Buffer.from(original) : printed;
  } catch {
    return printed;
  }
}
