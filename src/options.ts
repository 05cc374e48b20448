import {
  choice,
  duration,
  integer,
  type Kind,
  many,
  one,
  path,
  powerOfTwo,
  size,
  text,
  toggle,
  usage,
  type Values,
  written,
} from "./cli/args.ts";
import { CONSUMERS, type ConsumerRule } from "./consumers/named.ts";
import { redactionOf } from "./consumers/redaction.ts";
import { DEFAULT_CONFIG } from "./config/read.ts";
import { LOG_LEVELS } from "./log.ts";
import { FORMATS } from "./sinks/formats.ts";
import type { Server } from "./sinks/graphite.ts";
import { BACKENDS, DEFAULT_SIZES } from "./source/choose.ts";

/** In the place of a path: the authorized_keys files of every user in passwd, as sshd_config names them. */
export const EVERY_USERS_KEYS = "authorized_keys";

/** What is watched when nobody says: who may log in, and who may become root. */
export const DEFAULT_WATCH: readonly string[] = [
  "/etc/passwd",
  "/etc/shadow",
  "/etc/group",
  "/etc/gshadow",
  "/etc/sudoers",
  "/etc/sudoers.d/*",
  "/etc/security/access.conf",
  "/etc/security/access.d/*.conf",
  "/etc/ssh/sshd_config",
  "/etc/ssh/sshd_config.d/*.conf",
  "/etc/pam.d/*",
  "/etc/nsswitch.conf",
  "/etc/ld.so.preload",
  "/etc/crontab",
  "/etc/anacrontab",
  "/etc/cron.{d,hourly,daily,weekly,monthly}/*",
  "/var/spool/cron/*",
  "/var/spool/cron/crontabs/*",
  "/etc/systemd/system/**/*",
  EVERY_USERS_KEYS,
];

export const DEFAULT_DATABASE = "/var/lib/bpfink/bpfink.db";

/** `PATH=NAME`: what PATH, a glob or a directory's path, stands for is read by that consumer. */
const consumerRule: Kind<ConsumerRule> = {
  hint: "PATH=NAME",
  example: "/etc/motd=diff",
  toml: "string",
  parse: (value, place) => {
    const at = value.lastIndexOf("=");
    if (at <= 0)
      throw usage(`${place.name} ${value} names no consumer`, `write it like ${written(place, "/etc/motd=diff")}`);
    return {
      path: path("PATH").parse(value.slice(0, at), place),
      consumer: choice("NAME", CONSUMERS).parse(value.slice(at + 1), place),
    };
  },
};

/** `HOST:PORT`, or `-` for stderr. */
const graphiteServer: Kind<Server | "-"> = {
  hint: "HOST:PORT",
  example: "graphite.example.com:2003",
  toml: "string",
  parse: (value, place) => {
    if (value === "-") return value;
    const [, bracketed, plain, port = ""] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(value) ?? [];
    const host = bracketed ?? plain;
    if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) };
    throw usage(
      `${place.name} cannot be "${value}"`,
      `write it like ${written(place, "graphite.example.com:2003")}, or - for stderr`,
    );
  },
};

/** What can be compiled. */
const secretPattern: Kind<string> = {
  hint: "REGEX",
  example: "^pin=(.*)",
  toml: "string",
  parse: (value) => {
    redactionOf({ patterns: [value] });
    return value;
  },
};

/** Options of every command that reads or watches files, or the database. */
export const COMMON = {
  root: one(path("DIR"), "/", "treat DIR as /: every watched path lies below it"),
  database: one(path("FILE", ":memory:"), DEFAULT_DATABASE, `the last state (${DEFAULT_DATABASE}), or :memory:`),
  config: one(path("FILE"), undefined, `TOML, every option is a key (${DEFAULT_CONFIG})`),
  "log-level": one(choice("LEVEL", LOG_LEVELS), "info", `how much to say: ${LOG_LEVELS.join(", ")} (info)`),
} as const;

/** What is watched, for every command that looks at files. */
export const SELECTION = {
  watch: many(path("PATH", EVERY_USERS_KEYS), DEFAULT_WATCH, "file, directory, quoted glob, or: authorized_keys"),
  exclude: many(path("GLOB"), [], "leave out what matches, and all below it"),
  redact: many(secretPattern, [], "what it matches in a text is a secret, too"),
  "redact-key": many(text("WORD"), [], "a key with this word has a secret as value, too"),
  consumer: many(consumerRule, [], `read it as one of ${CONSUMERS.join(", ")}`),
} as const;

/** How the journal is kept, for every command that writes it. */
export const JOURNAL = {
  keep: one(duration("TIME", 0, 3660), 90 * 86_400_000, "how long changes are kept for bpfink history (90d)"),
  "keep-size": one(size("SIZE", 0), 512 * 1024 ** 2, "and how much of them (512M)"),
  "chain-key": one(path("FILE"), undefined, "key of the chain of hashes, for root's eyes alone"),
} as const;

/** For commands that print changes. */
export const OUTPUT = {
  json: toggle("print JSON on a terminal, too"),
  format: one(choice("NAME", FORMATS), undefined, `JSON as ${FORMATS.join(", ")} has it (bpfink)`),
} as const;

/** Days that a timer can wait: it counts milliseconds in 31 bits, and would go off at once. */
const TIMER = 24;

/** Every option of `bpfink watch`, in the order of --help. */
export const SETTINGS = {
  ...SELECTION,
  ...COMMON,
  ...OUTPUT,
  backend: one(choice("NAME", BACKENDS), "auto", `${BACKENDS.join(", ")} (auto)`),
  "ring-size": one(
    powerOfTwo("SIZE", 64 * 1024, 1024 ** 3),
    DEFAULT_SIZES.ringSize,
    "for eBPF's events, a power of two, 64K to 1G (4M)",
  ),
  "max-watches": one(integer("N", 16, 1 << 24), undefined, "inodes for eBPF (1048576; kprobes < 6.1: 131072)"),
  ...JOURNAL,
  canary: one(integer("SECONDS", 0, 86_400), 60, "between two proofs that events come (60); 0: never"),
  rescan: one(duration("TIME", 0, TIMER), 3_600_000, "between two looks at everything (1h); 0s: never"),
  graphite: one(graphiteServer, undefined, "send metrics there; - prints them on stderr"),
  "graphite-interval": one(duration("SPAN", 1000, TIMER), 30_000, "time between two sendings (30s)"),
  "graphite-prefix": one(text("NAME"), "", "put before every metric's name"),
  role: one(text("NAME"), "", "what groups the metrics of hosts (unknown_role)"),
} as const;

export type Options = Values<typeof SETTINGS>;
