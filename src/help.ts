import { ARGS } from "./options.ts";

const HEAD = `bpfink - logs what changes in files, as it changes, and who did it

USAGE
  bpfink [OPTIONS]    watch until SIGINT or SIGTERM; one line of JSON a change on stdout,
                      messages for people on stderr

OPTIONS
`;

const TAIL = `
EXAMPLES
  bpfink --watch /etc/shadow                     one file; its state is kept for the next start
  bpfink --watch /etc/ssh --database :memory:    a directory and all below it; nothing is kept
  bpfink --watch '/etc/*.conf' | jq .diff        a glob, quoted; the differences only

Without --watch: /etc/passwd, shadow, group, gshadow, sudoers, sudoers.d, security/access.conf,
ssh/sshd_config. Exit status: 0 stopped as asked, 2 bad usage, 3 cannot watch, 4 database unusable.
`;

/** Where descriptions begin, in columns. */
const COLUMN = 22;

/** The text of --help, at most 100 columns wide. */
export function helpText(): string {
  const lines = Object.entries(ARGS).map(([name, arg]) => {
    const option = "valueHint" in arg ? `--${name} ${arg.valueHint}` : `--${name}`;
    return `  ${option.padEnd(COLUMN - 2)}${arg.description}\n`;
  });
  return HEAD + lines.join("") + TAIL;
}
