import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BpfinkError, ExitStatus } from "../../src/errors.ts";
import { command } from "../../src/cli/command.ts";
import { parseCommandLine, valuesOf } from "../../src/cli/parse.ts";
import { DEFAULT_DATABASE, DEFAULT_WATCH, type Options, SETTINGS } from "../../src/options.ts";

const defaults: Options = {
  watch: DEFAULT_WATCH,
  exclude: [],
  root: "/",
  database: DEFAULT_DATABASE,
  backend: "auto",
  canary: 60,
  logLevel: "info",
  rescan: 3_600_000,
  maxWatches: undefined,
  ringSize: 4 * 1024 ** 2,
  keep: 90 * 86_400_000,
  keepSize: 512 * 1024 ** 2,
  chainKey: undefined,
  config: undefined,
  json: false,
  format: undefined,
  consumer: [],
  redact: [],
  redactKey: [],
  graphite: undefined,
  graphiteInterval: 30_000,
  graphitePrefix: "",
  role: "",
};

const watch = command({ name: "watch", summary: "", args: SETTINGS, run: () => ExitStatus.ok });

const parse = (...argv: string[]) => {
  const request = parseCommandLine([watch], argv);
  if ("print" in request) return { print: request.print };
  return { run: valuesOf(request.command.args, request.given, new Map(), "/home/ann") as unknown as Options };
};

/** Message and hint of the refusal. */
function refusal(...argv: string[]): { message: string; hint: string } {
  try {
    parse(...argv);
  } catch (error) {
    if (!(error instanceof BpfinkError)) throw error;
    expect(error.status).toBe(ExitStatus.usage);
    return { message: error.message, hint: error.hint };
  }
  throw new Error(`${argv.join(" ")} was taken`);
}

describe("taken:", () => {
  const table: [string[], Partial<Options>][] = [
    [[], {}],
    [["--watch", "/etc/passwd"], { watch: ["/etc/passwd"] }],
    [["--watch=/etc/passwd", "--watch", "/etc/*.conf"], { watch: ["/etc/passwd", "/etc/*.conf"] }],
    [["--watch", "/a", "--watch", "/b", "--watch", "/a/"], { watch: ["/a", "/b"] }],
    [["--watch", "//etc//./ssh/../passwd"], { watch: ["/etc/passwd"] }],
    [["--watch", "/etc/ssh///"], { watch: ["/etc/ssh"] }],
    [["--watch", "/"], { watch: ["/"] }],
    [["--watch", "/../.."], { watch: ["/"] }],
    [["--watch", "/srv/**/*.php"], { watch: ["/srv/**/*.php"] }],
    [["--watch", "/a=b"], { watch: ["/a=b"] }],
    [["--watch=/a=b"], { watch: ["/a=b"] }],
    [["--exclude", "/etc/*.swp", "--exclude=/etc/ssl/"], { exclude: ["/etc/*.swp", "/etc/ssl"] }],
    [["--root", "/mnt/"], { root: "/mnt" }],
    [["--database", ":memory:"], { database: ":memory:" }],
    [["--database=/var/x.db"], { database: "/var/x.db" }],
    [["--backend", "fanotify"], { backend: "fanotify" }],
    [["--backend=ebpf/fentry"], { backend: "ebpf/fentry" }],
    [["--backend=ebpf/kprobe"], { backend: "ebpf/kprobe" }],
    [["--log-level", "debug"], { logLevel: "debug" }],
    [["--ring-size", "64K"], { ringSize: 65_536 }],
    [["--"], {}],
    [["watch"], {}],
    [["watch", "--root", "/r"], { root: "/r" }],
    [
      ["--log-level=warn", "--watch", "/x", "--root=/r", "--backend=ebpf", "--exclude", "/x/y", "--database=/d"],
      { watch: ["/x"], exclude: ["/x/y"], root: "/r", database: "/d", backend: "ebpf", logLevel: "warn" },
    ],
  ];
  test.each(table)("%j", (argv, changes) => {
    expect(parse(...argv)).toEqual({ run: { ...defaults, ...changes } });
  });

  test("help and version, whatever comes after them", () => {
    expect(parse("--help")).toEqual({ print: "help" });
    expect(parse("--version", "--nonsense")).toEqual({ print: "version" });
    expect(parse("--watch", "/x", "--help", "--version")).toEqual({ print: "help" });
  });
});

describe("refused:", () => {
  const backends = "it is one of auto, ebpf, ebpf/fentry, ebpf/kprobe, fanotify";
  const table: [string[], string, string][] = [
    [["/etc/passwd"], 'unexpected argument "/etc/passwd"', "to watch a file, write --watch /etc/passwd"],
    [["watch", "/etc/a"], 'unexpected argument "/etc/a"', "to watch a file, write --watch /etc/a"],
    [["--watch", "/a", "watch"], 'unexpected argument "watch"', "put the command first: bpfink watch …"],
    [["--", "--help"], 'unexpected argument "--help"', "to watch a file, write --watch PATH"],
    [["--watch", "/etc/a", "/etc/b"], 'unexpected argument "/etc/b"', "to watch a file, write --watch /etc/b"],
    [["--wacth", "/x"], "no such option: --wacth", "did you mean --watch?"],
    [["--ver"], "no such option: --ver", "did you mean --version?"],
    [["--nonsense"], "no such option: --nonsense", "see bpfink --help"],
    [["--no-watch"], "no such option: --no-watch", "see bpfink --help"],
    [["--Watch", "/x"], "no such option: --Watch", "did you mean --watch?"],
    [["-w", "/x"], "no such option: -w", "did you mean --watch?"],
    [["--nonsense", "--help"], "no such option: --nonsense", "see bpfink --help"],
    [["--watch"], "--watch needs a value", "write it like --watch PATH"],
    [["--watch="], "--watch needs a value", "write it like --watch PATH"],
    [["--watch", ""], "--watch needs a value", "write it like --watch PATH"],
    [["--watch", "--exclude", "/x"], "--watch needs a value", "write it like --watch PATH"],
    [["--database"], "--database needs a value", "write it like --database FILE"],
    [["--log-level"], "--log-level needs a value", "write it like --log-level LEVEL"],
    [["--help=yes"], "--help takes no value", 'leave out "=yes"'],
    [["--watch", "etc/x"], "--watch etc/x is a relative path", "write it in full: --watch /home/ann/etc/x"],
    [["--exclude", "*.swp"], "--exclude *.swp is a relative path", "write it in full: --exclude /home/ann/*.swp"],
    [["--root=."], "--root . is a relative path", "write it in full: --root /home/ann"],
    [["--database", "x.db"], "--database x.db is a relative path", "write it in full: --database /home/ann/x.db"],
    [["--watch", "-x"], "--watch -x is a relative path", "write it in full: --watch /home/ann/-x"],
    [["--root", "/a", "--root", "/b"], "--root is given 2 times", "give it once"],
    [["--database=/a", "--database=/a", "--database=/a"], "--database is given 3 times", "give it once"],
    [["--backend", "fanotfy"], '--backend cannot be "fanotfy"', `did you mean fanotify? ${backends}`],
    [["--backend", "bpf"], '--backend cannot be "bpf"', `did you mean ebpf? ${backends}`],
    [["--backend", "kprobes"], '--backend cannot be "kprobes"', backends],
    [["--ring-size", "100K"], '--ring-size cannot be "100K"', "it is a power of two, such as 512K, 4M or 1G"],
    [["--ring-size", "2G"], '--ring-size cannot be "2G"', "it is a power of two, such as 512K, 4M or 1G"],
    [
      ["--ring-size", "32K"],
      '--ring-size cannot be "32K"',
      "it is a number with K, M or G behind it, of 65536 bytes or more",
    ],
    [["--log-level", "w"], '--log-level cannot be "w"', "did you mean warn? it is one of debug, info, warn, error"],
    [["--log-level", "INFO"], '--log-level cannot be "INFO"', "it is one of debug, info, warn, error"],
  ];
  test.each(table)("%j", (argv, message, hint) => {
    expect(refusal(...argv)).toEqual({ message, hint });
  });

  // What every object has is no option, and is not to be ignored.
  test.each(["toString", "constructor", "valueOf", "hasOwnProperty", "__proto__"])("--%s=/x", (name) => {
    expect(refusal(`--${name}=/x`)).toEqual({ message: `no such option: --${name}`, hint: "see bpfink --help" });
  });
});

test("any command line is taken or refused with a hint, and taken paths are absolute", () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...Object.keys(SETTINGS).map((name) => `--${name}`),
      "--",
      "/etc/x",
      "/etc//y/",
      "auto",
      ":memory:",
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ maxLength: 8 }).map((text) => `--watch=/${text}`),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      let request;
      try {
        request = parse(...argv);
      } catch (error) {
        if (!(error instanceof BpfinkError)) throw error;
        expect([error.status, error.hint !== ""]).toEqual([ExitStatus.usage, true]);
        return;
      }
      if ("print" in request) return;
      const { watch, exclude, root } = request.run;
      const paths = watch.filter((path) => path !== "authorized_keys"); // a word of its own
      for (const path of [...paths, ...exclude, root]) expect(path).toMatch(/^\/$|^\/(.|\n)*[^/]$/);
    }),
    { numRuns: 1000 },
  );
});
