import { describe, expect, test } from "bun:test";
import { valuesOf } from "../../../src/cli/parse.ts";
import { parseConfig } from "../../../src/config/read.ts";
import { BpfinkError, ExitStatus } from "../../../src/errors.ts";
import { SETTINGS } from "../../../src/options.ts";

const FILE = "/etc/bpfink.toml";
const valuesIn = (text: string) => Object.fromEntries(parseConfig(text, FILE, SETTINGS).values);

test("every option is a key", () => {
  const text = `
    watch = ["/etc/passwd", "/etc/ssh/"]
    exclude = ["/etc/*.swp"]
    consumer = ["/etc/motd=generic"]
    root = "/mnt"
    database = "/var/x.db"
    log-level = "debug"
    backend = "fanotify"
    graphite = "[::1]:2003"
    graphite-interval = "10s"
    graphite-prefix = "prod"
    role = "db"
  `;
  expect(valuesIn(text)).toEqual({
    watch: ["/etc/passwd", "/etc/ssh"],
    exclude: ["/etc/*.swp"],
    consumer: [{ path: "/etc/motd", consumer: "generic" }],
    root: "/mnt",
    database: "/var/x.db",
    "log-level": "debug",
    backend: "fanotify",
    graphite: { host: "::1", port: 2003 },
    "graphite-interval": 10_000,
    "graphite-prefix": "prod",
    role: "db",
  });
});

test("a [[watch]] can name its consumer", () => {
  const text = '[[watch]]\npath = "/etc/motd"\nconsumer = "generic"\n\n[[watch]]\npath = "/srv"\n';
  expect(valuesIn(text)).toEqual({
    watch: ["/etc/motd", "/srv"],
    consumer: [{ path: "/etc/motd", consumer: "generic" }],
  });
  expect(valuesIn('watch = ["/a", { path = "/b", consumer = "diff" }]')).toEqual({
    watch: ["/a", "/b"],
    consumer: [{ path: "/b", consumer: "diff" }],
  });
});

test("whatever comes before and follows, a mistake is where it is", () => {
  const statements = [
    'exclude = [\n"/x", # one\n\n"/y"\n]',
    'role = """\nx\n"""',
    "graphite-prefix = '''\nx\n'''",
    'consumer = ["/a=diff",\n"/b=diff"]',
    '[[watch]]\npath = "/etc/motd"',
  ];
  for (let i = 0; i <= statements.length; i++) {
    const before = statements.slice(0, i).map((text) => `${text}\n`);
    const text = [...before, "= 1\n", ...statements.slice(i).map((rest) => `${rest}\n`)].join("");
    const line = before.join("").split("\n").length;
    expect(() => parseConfig(text, FILE, SETTINGS)).toThrow(`${FILE} line ${line}: Expected a key`);
  }
});

test("a long one is read, and its mistakes found, in no time", () => {
  const entries = '[[watch]]\npath = "/etc/motd"\nconsumer = "diff"\n'.repeat(3000);
  const begin = performance.now();
  expect(parseConfig(entries, FILE, SETTINGS).values.get("watch")).toHaveLength(3000);
  expect(() => parseConfig(`${entries}pth = 1\n`, FILE, SETTINGS)).toThrow(`line 9001: no such key: pth`);
  expect(() => parseConfig(`${entries}"\n`, FILE, SETTINGS)).toThrow(`line 9001: `);
  expect(performance.now() - begin).toBeLessThan(4000); // it was a minute
});

test("flags win over it, and add to its lists", () => {
  const { values } = parseConfig('watch = ["/a"]\nlog-level = "debug"\nrole = "x"', FILE, SETTINGS);
  const given = new Map([
    ["watch", ["/b"]],
    ["role", ["y"]],
  ]);
  expect(valuesOf(SETTINGS, given, values, "/")).toMatchObject({ watch: ["/a", "/b"], logLevel: "debug", role: "y" });
});

describe("refused, with the line:", () => {
  const consumers = "it is one of users, access, diff, generic";
  const table: [text: string, message: string | RegExp, hint: string | RegExp][] = [
    ['\nwacth = ["/x"]', "line 2: no such key: wacth", "did you mean watch?"],
    ['log_level = "info"', "line 1: no such key: log_level", "did you mean log-level?"],
    ['frobnicate = "x"', "line 1: no such key: frobnicate", /^it is one of watch, exclude,/],
    ["[extra]\nwatch = 1", "line 1: no such key: extra", /^it is one of/],
    ['a = """\nwatch = 3\n"""', "line 1: no such key: a", /^it is one of/],
    ['role = """x\nwatch = 3\n"""\n\nwatch = "/x"', "line 5: watch must be a list", 'write it like watch = ["/x"]'],
    ["watch = [1]", "line 1: watch must be a string, not 1", 'write it like watch = "/etc/motd"'],
    ["[watch]\npath = '/x'", "line 1: watch must be a list", "write it like [[watch]]"],
    ["[exclude]\npath = '/x'", "line 1: exclude must be a list", 'write it like exclude = ["/etc/motd"]'],
    ["rescan = 5", "line 1: rescan must be a string, not 5", 'write it like rescan = "10m"'],
    ["keep-size = 512", "line 1: keep-size must be a string, not 512", 'write it like keep-size = "512M"'],
    ['graphite = "x"', 'line 1: graphite cannot be "x"', /^write it like graphite = "graphite\.example\.com:2003", or/],
    ['consumer = ["x"]', "line 1: consumer x names no consumer", 'write it like consumer = "/etc/motd=diff"'],
    ['\nredact = ["("]', /^line 2: redact "\(" is no regular expression: /, /./],
    ['config = "/x"', "line 1: no such key: config", /^it is one of/],
    ["\u0000\u0001", "line 1: Expected a key but found (0x00)", /./],
    [`watch = [${'\n"/a",'.repeat(20_000)}\n]\nrole\n`, "line 20003: Expected '=' after a key but found (0x0A)", /./],
    [`role = "x"\nwatch = [\n'/a',\n'/b'\n`, /^line 2: Expected ',' or '\]' in an array/, /./],
    [`\nrole = """x\n\n\n`, "line 2: Unterminated string", /./],
    [`\nrole = "x\nbackend = "auto"\n`, /^line 2: Unterminated string/, /./],
    ["role = true", "line 1: role must be a string, not true or false", 'write it like role = "NAME"'],
    ['role = ["x"]', "line 1: role must be a string, not a list", 'write it like role = "NAME"'],
    ['role = ""', "line 1: role must be a string, not an empty one", 'write it like role = "NAME"'],
    ['root = "x"', "line 1: root x is a relative path", 'write it in full: root = "/x"'],
    ['log-level = "wran"', 'line 1: log-level cannot be "wran"', /^did you mean warn\?/],
    ['[[watch]]\npath = "/x"\n[[watch]]\npth = "/y"', "line 4: no such key: pth", "did you mean path?"],
    ['[[watch]]\nconsumer = "diff"', "line 2: a [[watch]] has no path", 'write it like path = "/etc/motd"'],
    [
      '[[watch]]\npath = "/x"\nconsumer = "user"',
      'line 3: consumer cannot be "user"',
      `did you mean users? ${consumers}`,
    ],
    ['role = "a"\nrole = "b"', "line 2: Cannot redefine key 'role'", /./],
    ["watch = [\n  '/a',\n]\nrole =\n", "line 4: Missing value after '='; values must be on the same line", /./],
    ["[watch\n", "line 1: Expected ']' to close a table header but found (0x0A)", /./],
  ];
  test.each(table)("%#", (text, message, hint) => {
    try {
      parseConfig(text, FILE, SETTINGS);
    } catch (error) {
      if (!(error instanceof BpfinkError)) throw error;
      const told = error.message.replace(`${FILE} `, "");
      expect(told).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
      expect(error.status).toBe(ExitStatus.usage);
      expect(error.hint).toEqual(typeof hint === "string" ? hint : expect.stringMatching(hint));
      return;
    }
    throw new Error("was taken");
  });
});

test("a bookingcom/bpfink agent.toml, whatever the case of its keys", () => {
  const text = `
    level = "warn"
    database = "bpfink.db"
    bcc = "vfs.o"

    [consumers]
    root = "/mnt"
    access = "/etc/security/access.conf"
    genericDiff = ["/etc/sudoers"]
    generic = ["/boot"]
    excludes = ["/boot/grub", "^/boot/tmp/$", ".*\\\\.swp$"]
    [consumers.users]
    passwd = "/etc/passwd"
    shadow = "/etc/shadow"

    [MetricsConfig]
    graphiteHost = "carbon.example.com:2003"
    graphitemode = "3"
    namespace = "fim"
    collectionInterval = "60s"
    hostRolePath = ""
  `;
  const { values, notes } = parseConfig(text, FILE, SETTINGS);
  const rules = [
    { path: "/etc/security/access.conf", consumer: "access" },
    { path: "/etc/passwd", consumer: "users" },
    { path: "/etc/shadow", consumer: "users" },
    { path: "/etc/sudoers", consumer: "diff" },
    { path: "/boot", consumer: "generic" },
  ];
  expect(Object.fromEntries(values)).toEqual({
    "log-level": "warn",
    root: "/mnt",
    watch: rules.map(({ path }) => path),
    consumer: rules,
    exclude: ["/boot/grub*", "/boot/tmp"],
    graphite: { host: "carbon.example.com", port: 2003 },
    "graphite-prefix": "fim",
    "graphite-interval": 60_000,
  });
  expect(notes).toEqual([
    expect.stringMatching(/^bcc: not needed/),
    expect.stringMatching(/^database: was a Bolt file/),
    expect.stringMatching(/^consumers\.excludes: ".*\\\.swp\$" is a regular expression/),
  ]);
});
