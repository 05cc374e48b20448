import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAccess, type Separators } from "../../../../src/consumers/parse/access.ts";
import { PamAccess } from "../../../oracles/pam-access.ts";
import { anyHash, leaks, print } from "../helpers.ts";

const parse = (text: string, separators?: Separators) => parseAccess(new TextEncoder().encode(text), print, separators);
const rules = (text: string, separators?: Separators) => parse(text, separators).entries.map(({ rule }) => rule);

describe("parseAccess", () => {
  test("the examples of access.conf(5)", () => {
    const text = [
      "+:root:crond :0 tty1 tty2",
      "+:root:192.168.200.1 192.168.200.4",
      "+:root:192.168.201.",
      "+:root:.foo.bar.org",
      "+:(1000) 1003:ALL",
      "+:@admins foo:ALL",
      "+:john foo:2001:db8:0:101::1",
      "+:john:2001:db8:0:101::/64",
      "+:john foo:fe80::de95:818c:1b55:7e42%eth1",
      "-:ALL EXCEPT (wheel) shutdown sync:LOCAL",
      "- : ALL : ALL",
    ];
    expect(parse(`# x\n\n${text.join("\n")}\n`)).toEqual({
      entries: [
        { name: "root", rule: { permission: "+", users: ["root"], origins: ["crond", ":0", "tty1", "tty2"] } },
        { name: "root", rule: { permission: "+", users: ["root"], origins: ["192.168.200.1", "192.168.200.4"] } },
        { name: "root", rule: { permission: "+", users: ["root"], origins: ["192.168.201."] } },
        { name: "root", rule: { permission: "+", users: ["root"], origins: [".foo.bar.org"] } },
        { name: "(1000) 1003", rule: { permission: "+", users: ["(1000)", "1003"], origins: ["ALL"] } },
        { name: "@admins foo", rule: { permission: "+", users: ["@admins", "foo"], origins: ["ALL"] } },
        { name: "john foo", rule: { permission: "+", users: ["john", "foo"], origins: ["2001:db8:0:101::1"] } },
        { name: "john", rule: { permission: "+", users: ["john"], origins: ["2001:db8:0:101::/64"] } },
        {
          name: "john foo",
          rule: { permission: "+", users: ["john", "foo"], origins: ["fe80::de95:818c:1b55:7e42%eth1"] },
        },
        {
          name: "ALL EXCEPT (wheel) shutdown sync",
          rule: {
            permission: "-",
            users: ["ALL"],
            exceptUsers: ["(wheel)", "shutdown", "sync"],
            origins: ["LOCAL"],
          },
        },
        { name: "ALL", rule: { permission: "-", users: ["ALL"], origins: ["ALL"] } },
      ],
      problems: [],
    });
  });

  test("separators of the PAM configuration: spaces are part of a name then", () => {
    expect(rules("+|domain users;bob|1.2.3.4:5\n", { field: "|", list: ";" })).toEqual([
      { permission: "+", users: ["domain users", "bob"], origins: ["1.2.3.4:5"] },
    ]);
  });

  test("a backslash joins no lines; a comment begins in the first column; CRLF is space", () => {
    expect(parse("+:root:\\\nALL\n #+:bob:ALL\n+:amy:ALL\r\n")).toEqual({
      entries: [
        { name: "root", rule: { permission: "+", users: ["root"], origins: ["\\"] } },
        { name: "amy", rule: { permission: "+", users: ["amy"], origins: ["ALL"] } },
      ],
      problems: [
        { line: 2, reason: "three fields expected" },
        { line: 3, reason: 'the first field is neither "+" nor "-"' },
      ],
    });
  });

  test.each([
    ["+:root:ALL", "no newline at the end: pam_access ignores the line", 0],
    ["+:root\n", "three fields expected", 0],
    ["root:x:ALL\n", 'the first field is neither "+" nor "-"', 0],
    ["+:ro\0ot:ALL\n", "NUL byte: pam_access ignores the line", 0],
    ["++:root:ALL\n", 'of the first field only "+" counts', 1],
    [":+:root:ALL\n", "a separator before the permission: pam_access takes the rule as a denial", 1],
    ["+:(domain users):ALL\n", "a group in parentheses is cut at a list separator: it matches nobody", 1],
    ["+:EXCEPT root:ALL\n", "nothing in users before EXCEPT: the rule matches nobody", 1],
    ["+:root:,\n", "nothing in origins: the rule matches nobody", 1],
    ["+:root:10.0.0.0/33\n", "a network that cannot be: it matches nothing", 1],
  ])("%j: %s", (text, reason, count) => {
    const { entries, problems } = parse(text);
    expect({ problems, count: entries.length }).toEqual({ problems: [{ line: 1, reason }], count });
  });

  test("the first character lets in, or not", () => {
    expect(rules(":+:root:ALL\n-:a:b\n")).toEqual([
      { permission: "-", users: ["root"], origins: ["ALL"] },
      { permission: "-", users: ["a"], origins: ["b"] },
    ]);
  });

  test("takes any bytes; problems name lines that are there", () => {
    const separators = fc.record({ field: fc.string(), list: fc.string() });
    const piece = fc.constantFrom("+", "-", ":", " ", ",", "\n", "root", "EXCEPT", "(a", "b)", "@n", "1.2.3.4/", "\0");
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(piece, { maxLength: 40 }).map((pieces) => new TextEncoder().encode(pieces.join(""))),
    );
    fc.assert(
      fc.property(bytes, separators, (content, given) => {
        const lines = Buffer.from(content).toString("latin1").split("\n").length;
        const { entries, problems } = parseAccess(content, print, given);
        expect(problems.every(({ line }) => line >= 1 && line <= lines)).toBe(true);
        expect(entries.length).toBeLessThan(lines);
      }),
      { numRuns: 1000 },
    );
  });

  test("a line that is too long for pam_access, before Linux-PAM 1.6", () => {
    const text = (length: number) =>
      `-:root:${"x ".repeat(5000)}`.slice(0, length - 4).padEnd(length - 4, "x") + " ALL\n";
    const reason = "longer than 8190 bytes: before Linux-PAM 1.6 it is ignored, and its rest read as a rule of its own";
    expect(parse(text(8190)).problems).toEqual([]);
    expect(parse(text(8191))).toMatchObject({ entries: [{ name: "root" }], problems: [{ line: 1, reason }] });
    using pam = new PamAccess();
    const [fits, isLong] = pam.letsIn([8190, 8191].map((length) => [text(length), "1.2.3.4"]));
    expect(fits).toBe(false);
    const { stdout } = Bun.spawnSync([
      "sh",
      "-c",
      "strings -a /lib/*/security/pam_access.so | grep -qx fgets; echo $?",
    ]);
    expect(isLong).toBe(stdout.toString() === "0\n"); // ignored by the one that reads with fgets(3)
  });

  test("who is let in by the rules that were read is who pam_access lets in", () => {
    const word = fc.constantFrom("root", "ROOT", "bob", "ALL", "all", "EXCEPT", "except", "1.2.3.4", "1.2.3.5", "\\");
    const gap = fc.constantFrom(" ", ",", ", ", "\t");
    const list = fc.array(fc.tuple(word, gap), { maxLength: 5 }).map((words) => words.flat().join(""));
    const sign = fc.constantFrom("+", "-", "+", "-", "-", "++", " +", ":+", "", "x", "# +", "#");
    const end = fc.constantFrom("\n", "\n", "\n", "\r\n", " \n", ":\n", "");
    const line = fc.tuple(sign, list, list, end).map(([a, b, c, d]) => `${a}:${b}:${c}${d}`);
    const texts = fc.sample(
      fc.array(line, { maxLength: 4 }).map((lines) => lines.join("")),
      { numRuns: 600, seed: 4 },
    );
    const host = "1.2.3.4";
    /** list_match() of pam_access.c, of words that are names and addresses. */
    const matches = (words: readonly string[], except: readonly string[] | undefined, name: string): boolean => {
      if (!words.some((one) => [name, "all"].includes(one.toLowerCase()))) return false;
      if (except === undefined) return true;
      const at = except.findIndex((one) => one.toLowerCase() === "except");
      return at < 0 ? !matches(except, undefined, name) : !matches(except.slice(0, at), except.slice(at + 1), name);
    };
    const decided = texts.map((text) => {
      const rule = rules(text).find(
        ({ users, exceptUsers, origins, exceptOrigins }) =>
          matches(users, exceptUsers, "root") && matches(origins, exceptOrigins, host),
      );
      return rule?.permission !== "-";
    });
    using pam = new PamAccess();
    const asked = pam.letsIn(texts.map((text) => [text, host]));
    expect(texts.filter((_, i) => asked[i] !== decided[i])).toEqual([]);
    expect(asked.filter((isIn) => !isIn).length).toBeGreaterThan(50);
  });

  test("rules are read back from what they say", () => {
    const name = fc.stringMatching(/^[a-z@][a-z0-9.]{0,8}$/).filter((word) => word !== "except");
    const list = fc.array(name, { minLength: 1, maxLength: 4 });
    const rule = fc.record({
      permission: fc.constantFrom("+" as const, "-" as const),
      users: list,
      exceptUsers: fc.option(list, { nil: undefined }),
      origins: list,
    });
    const gap = fc.constantFrom(" ", ", ", "\t", "  ");
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), gap, (given, between) => {
        const text = given.map(({ permission, users, exceptUsers, origins }) => {
          const all = exceptUsers === undefined ? users : [...users, "except", ...exceptUsers];
          return `${permission}:${all.join(between)}:${origins.join(between)}\n`;
        });
        expect(JSON.parse(JSON.stringify(rules(text.join(""))))).toEqual(JSON.parse(JSON.stringify(given)));
      }),
    );
  });

  test("a password database under its name tells no hash", () => {
    const line = fc.tuple(fc.constantFrom("root:", "+nis:", "+:", "+a:", ""), fc.constantFrom("", "!"), anyHash);
    fc.assert(
      fc.property(
        line,
        fc.constantFrom(":19000:0:99999:7:::", ":0:0:x:/:/bin/sh", "", ":ALL"),
        ([a, b, hash], tail) => {
          const text = `${a}${b}${hash.field}${tail}\n`;
          if (a === "+:" && tail === ":ALL" && hash.secrets.length === 1) return; // DES is a word like any other
          expect(leaks(JSON.stringify(parse(text)), hash.secrets)).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
