// Held to the sudo of this machine: visudo(8) takes what is taken here, and cvtsudoers(1) reads it in the same way.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseSudoers, type SudoRule } from "../../../../src/consumers/parse/sudoers.ts";

/** What cvtsudoers -f json prints, as far as it is looked at. */
interface Converted {
  readonly User_Specs?: readonly {
    readonly User_List: readonly Item[];
    readonly Host_List: readonly Item[];
    readonly Cmnd_Specs: readonly {
      readonly runasusers?: readonly Item[];
      readonly runasgroups?: readonly Item[];
      readonly Options?: readonly Readonly<Record<string, boolean>>[];
      readonly Commands: readonly Item[];
    }[];
  }[];
}

type Item = Readonly<Record<string, string | number | boolean>>;

/** How each kind of item is written. */
const PREFIXES: Readonly<Record<string, string>> = {
  ...{ username: "", useralias: "", usergroup: "%", userid: "#", usergid: "%#", netgroup: "+", runasalias: "" },
  ...{ hostname: "", hostalias: "", networkaddr: "", command: "", cmndalias: "" },
};

const OPTIONS: Readonly<Record<string, string>> = {
  ...{ authenticate: "PASSWD", noexec: "NOEXEC", setenv: "SETENV", log_input: "LOG_INPUT", log_output: "LOG_OUTPUT" },
  ...{ send_mail: "MAIL", sudoedit_follow: "FOLLOW", intercept: "INTERCEPT" },
};

function written(item: Item, prefixes = PREFIXES): string {
  const [kind, value] = Object.entries(item).find(([key]) => key !== "negated")!;
  if (prefixes[kind] === undefined) throw new Error(`what is ${kind}?`);
  return `${item["negated"] === true ? "!" : ""}${prefixes[kind]}${String(value)}`;
}

/** A rule, with its options as cvtsudoers names them; what comes of ALL by itself is left out. */
interface Plain {
  readonly users: readonly string[];
  readonly hosts: readonly string[];
  readonly runAs: readonly string[];
  readonly runAsGroups: readonly string[];
  readonly commands: readonly string[];
  readonly options: readonly string[];
}

const run = (command: string, text: string, ...args: string[]) =>
  Bun.spawnSync([command, ...args, "/dev/stdin"], { stdin: Buffer.from(text) });

function converted(text: string): Plain[] {
  const { stdout, stderr } = run("cvtsudoers", text, "-f", "json");
  const of = (items: readonly Item[] = [], prefixes = PREFIXES) => items.map((item) => written(item, prefixes));
  const groups = { ...PREFIXES, usergroup: "", usergid: "#" };
  const { User_Specs } = (stdout.length === 0 ? {} : JSON.parse(stdout.toString())) as Converted;
  if (/syntax error|unable/.test(stderr.toString())) throw new Error(stderr.toString());
  return (User_Specs ?? []).flatMap(({ User_List, Host_List, Cmnd_Specs }) =>
    Cmnd_Specs.flatMap(({ runasusers, runasgroups, Options = [], Commands }) => {
      const commands = of(Commands);
      const options = Options.flatMap((option) => Object.entries(option)).map(([name, is]) =>
        name === "noexec" ? `${is ? "NO" : ""}EXEC` : `${is ? "" : "NO"}${OPTIONS[name] ?? name}`,
      );
      const runAsGroups = of(runasgroups, groups);
      return commands.map((command) => ({
        ...{ users: of(User_List), hosts: of(Host_List), runAs: of(runasusers), runAsGroups },
        ...{ commands: [command], options: options.sort() },
      }));
    }),
  );
}

function plain({ users, hosts, runAs = [], runAsGroups = [], commands, noPassword, tags = [] }: SudoRule): Plain[] {
  return commands.map((command) => ({
    ...{ users, hosts, runAs, runAsGroups, commands: [command.replace(/\\([,:=])/g, "$1")] },
    options: [...(noPassword === true ? ["NOPASSWD"] : []), ...tags].sort(),
  }));
}

/** PASSWD is what there is without it. With ALL among the commands SETENV is told of those around it, too. */
const comparable = (rules: readonly Plain[], hasAll = true) =>
  rules.map((rule) => ({
    ...rule,
    options: rule.options.filter((option) => option !== "PASSWD" && !(hasAll && /SETENV$/.test(option))),
  }));

const rules = (text: string) => parseSudoers(text).entries;

describe("parseSudoers", () => {
  test("Debian's file, and what administrators add", () => {
    const text = String.raw`# x
Defaults	env_reset
Defaults:bob !lecture
User_Alias ADM = bob, amy
root	ALL=(ALL:ALL) ALL
%sudo ALL=(ALL:ALL) ALL # all of them
carol ALL=(root) NOPASSWD: /usr/bin/apt, /usr/bin/apt-get install *, PASSWD: /bin/ls ""
ADM, !bob web1,10.0.0.0/8 = /bin/x a\,b \
   c, (:adm) sudoedit /etc/motd
#1000,%#27 ALL=NOEXEC:NOPASSWD:ALL,!/bin/su
@includedir /etc/sudoers.d
`;
    const all = { hosts: ["ALL"], runAs: ["ALL"], runAsGroups: ["ALL"], commands: ["ALL"] };
    const carol = { users: ["carol"], hosts: ["ALL"], runAs: ["root"] };
    const adm = { users: ["ADM", "!bob"], hosts: ["web1", "10.0.0.0/8"] };
    expect(parseSudoers(text)).toEqual({
      entries: [
        { users: ["root"], ...all },
        { users: ["%sudo"], ...all },
        { ...carol, commands: ["/usr/bin/apt", "/usr/bin/apt-get install *"], noPassword: true },
        { ...carol, commands: ['/bin/ls ""'] },
        { ...adm, commands: [String.raw`/bin/x a\,b c`] },
        { ...adm, runAsGroups: ["adm"], commands: ["sudoedit /etc/motd"] },
        {
          ...{ users: ["#1000", "%#27"], hosts: ["ALL"], commands: ["ALL", "!/bin/su"], noPassword: true },
          tags: ["NOEXEC"],
        },
      ],
      problems: [],
    });
    expect(comparable(rules(text).flatMap(plain))).toEqual(comparable(converted(text)));
  });

  test.each([
    "dave ALL=(ALL) /bin/a : web2 = /bin/b",
    "dave ALL=()ALL",
    "dave ALL=sha224:abc= /bin/ls",
    "dave ALL=TIMEOUT=5m /bin/ls",
    "dave ALL=/bin/ls ^a.*$",
    'dave ALL="/bin/ls"',
    "dave ALL=ALL x",
    "dave ALL=",
    "dave ALL=ls",
    "dave",
    "ALL",
    String.raw`x\ y ALL=ALL`,
    "dave ALL=/bin/[a-z]*",
    "dave ALL=(root) NOPASSWD: [redacted 12345678]",
  ])("%s: said to be not understood", (line) => {
    expect(parseSudoers(`# x\n\n${line}\n`)).toEqual({
      entries: [],
      problems: [{ line: 3, reason: "not understood rule by rule: the diff alone tells of it" }],
    });
  });

  const words = (...texts: readonly string[]) => fc.constantFrom(...texts.flatMap((text) => text.split(" ")));
  const user = words("ALL bob root amy.b _x Bob ADM_2 %sudo %#27 #0 #1000 +net !bob !ALL !%adm b-c x$ -x é 1x");
  const host = words("ALL web1 web.example.com WEBS !web2 10.0.0.0/8 10.0.0.1 +net w_1 *.com 300.1.1.1 ::1 a:b");
  const command = fc.constantFrom(
    ...[
      "ALL",
      "!ALL",
      "CMNDS",
      "!/bin/su",
      "/usr/bin/",
      "/bin/*",
      "/bin/ls",
      "/bin/l?",
      "sudoedit",
      "/a%b@c~d+e",
      "list",
    ],
    ...["/bin/ls -la", "/bin/a x=y", "/bin/a x\\=y", "/bin/a a\\,b  c\\:d", '/bin/ls ""', '/bin/ls "" x', "/bin/a * ?"],
    ...[
      "sudoedit /etc/motd",
      "/bin/a ^x$",
      "/bin/a [x]",
      "/bin/a #x",
      "/bin/a #1",
      "ls",
      "ALL x",
      "/bin/a !x",
      "/a\\ b",
    ],
    ...[
      "/bin/a x\\",
      "/bin/a 'x'",
      "/bin/a %x@y~z+1",
      "/bin/a ~/x -",
      "/bin/a x\\\\y",
      "/bin/",
      "/",
      "//",
      "sudoedit ALL",
    ],
  );
  const tag = fc.constantFrom(
    ..."NOPASSWD: PASSWD: NOEXEC: EXEC: SETENV: NOSETENV: MAIL: NOMAIL: NOFOLLOW: LOG_INPUT: NOINTERCEPT:".split(" "),
    ...["NOPASSWD", "NOPASSWD :", "nopasswd:", "TIMEOUT=5m", "PASSWD: "],
  );
  const runAs = fc.constantFrom(
    ...[
      "",
      "",
      "",
      "",
      "(root)",
      "(ALL:ALL)",
      "( ALL : ALL )",
      "(:adm)",
      "(%adm)",
      "(root, bob : adm,#27)",
      "()",
      "(:)",
    ],
    ...["(#0)", "(!root,ALL)", "(RUNNERS)", "(root:%adm)", "(root", "root)", "(root:ADM)", "(+net)", "((root))"],
  );
  const gap = fc.constantFrom(" ", " ", " ", " ", "", "\t", "  ", " \\\n ", "\\\n");
  const comma = fc.constantFrom(",", ", ", " , ", ",\t", ",\\\n", " ");
  const join = (item: fc.Arbitrary<string>, between: fc.Arbitrary<string>, maxLength: number) =>
    fc
      .array(fc.tuple(item, between), { minLength: 1, maxLength })
      .map((pairs) => pairs.flatMap(([text, sign], i) => (i === 0 ? [text] : [sign, text])).join(""));
  const usual = <T>(good: T, ...others: T[]) => fc.constantFrom(...Array.from({ length: 12 }, () => good), ...others);
  const granted = fc
    .tuple(runAs, gap, fc.array(fc.tuple(tag, gap), { maxLength: 2 }), command)
    .map(([as, between, tags, what]) => `${as}${between}${tags.flat().join("")}${what}`);
  const end = usual("", " ", " # x", "#x", " #1", " : web1 = ALL", "\r", ",", " \\", " é");
  const begin = usual("", " ", "# ", "#", "Defaults ", "@include ", "User_Alias ", "\\\n", "\0");
  const line = fc
    .tuple(
      begin,
      join(user, comma, 2),
      gap,
      join(host, comma, 2),
      gap,
      usual("=", "", "=="),
      gap,
      join(granted, comma, 3),
      end,
    )
    .map((parts) => parts.join(""));

  test("what is taken for rules, sudo takes, and reads in the same way", () => {
    const lines = fc.sample(line, { numRuns: 60_000, seed: Number(process.env["BPFINK_TEST_SEED"] ?? 4) });
    // Defaults, aliases and includes are sudo's own matter
    const taken = lines.filter(
      (text) => rules(`${text}\n`).length > 0 && parseSudoers(`${text}\n`).problems.length === 0,
    );
    expect(taken.length).toBeGreaterThan(1000);
    const hasAll = (one: string) => rules(one).some(({ commands }) => commands.includes("ALL"));
    for (const [lines, all] of [
      [taken.filter(hasAll), true],
      [taken.filter((one) => !hasAll(one)), false],
    ] as const) {
      const text = lines.map((one) => `${one}\n`).join("");
      const { exitCode, stdout, stderr } = run("visudo", text, "-c", "-f");
      expect({ exitCode, said: stdout.toString(), errors: stderr.toString().match(/.*syntax error.*/g) }).toEqual({
        ...{ exitCode: 0, said: expect.stringContaining("parsed OK"), errors: null },
      });
      expect(comparable(rules(text).flatMap(plain), all)).toEqual(comparable(converted(text), all));
    }
  });

  test("never throws; problems name lines that are there", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(line).map((all) => all.join("\n")),
        ),
        (text) => {
          const { entries, problems } = parseSudoers(text);
          const count = text.split("\n").length;
          expect(problems.every(({ line: at }) => at >= 1 && at <= count)).toBe(true);
          expect(entries.every(({ users, hosts, commands }) => users.length * hosts.length * commands.length > 0)).toBe(
            true,
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("long lines cost no time", () => {
    const pieces = [
      "a,",
      "a ",
      "ALL=",
      "ALL=(a,",
      "a ALL=/b ",
      "a ALL=NOPASSWD:",
      "a ALL=/b,",
      "#",
      "\\\n",
      "a ALL=/b a\\,",
      " ",
      "(",
    ];
    for (const piece of pieces) {
      const begin = performance.now();
      for (const head of ["", "a ALL=", "a ALL=/b "]) parseSudoers(head + piece.repeat(200_000));
      expect({ piece, soon: performance.now() - begin < 1500 }).toEqual({ piece, soon: true });
    }
  });
});
