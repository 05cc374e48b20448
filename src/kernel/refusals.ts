// What libbpf and the verifier say when they refuse something, in libbpf's warnings: one a message.

/** Why something could not be done. */
export interface Refusal {
  /** errno, and what libbpf or the verifier said about it. */
  readonly reason: string;
  /** The program for which it could not be done; undefined if it was not for one. */
  readonly program: string | undefined;
}

/** @param messages since it was begun */
export function refusalOf(error: unknown, messages: readonly string[]): Refusal {
  const ofPrograms = messages.filter((message) => nameOf(message) !== undefined);
  const failed = messages.find((message) => message.includes("failed:"));
  const said = verdict(messages) ?? ofPrograms[0] ?? failed ?? messages.at(-1);
  const text = error instanceof Error ? error.message : String(error);
  const reason = said === undefined ? text : `${text} (${said.replace(/^libbpf: /, "")})`;
  return { reason, program: nameOf(ofPrograms.at(-1)) };
}

/**
 * The program that a message begins with, if any. bpf_object__load takes programs in turn, first to relocate them
 * (CO-RE), then to load them, and gives up at the first that fails: the last that is named.
 */
const nameOf = (message = ""): string | undefined => /^libbpf: prog '([^']+)': /.exec(message)?.[1];

/** The line on which the verifier gives up: the last one of its log before the statistics. */
function verdict(messages: readonly string[]): string | undefined {
  for (const message of messages) {
    const [, program, text] =
      /prog '([^']+)': -- BEGIN PROG LOAD LOG --\n([^]*)-- END PROG LOAD LOG --/.exec(message) ?? [];
    const lines =
      text
        ?.trim()
        .split("\n")
        .filter((line) => !line.startsWith("processed ")) ?? [];
    if (program !== undefined && lines.length > 0) return `${program}: ${lines.at(-1)}`;
  }
  return undefined;
}
