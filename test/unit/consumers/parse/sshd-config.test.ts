import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keyFileOf, parseSshdConfig } from "../../../../src/consumers/parse/sshd-config.ts";

const values = (text: string) => parseSshdConfig(text).map(({ keyword, values }) => [keyword, ...values]);

describe("parseSshdConfig", () => {
  test.each<[string, string[][]]>([
    ["AuthorizedKeysFile .ssh/a .ssh/b", [["authorizedkeysfile", ".ssh/a", ".ssh/b"]]],
    ["  authorizedkeysfile=/etc/ssh/%u # all", [["authorizedkeysfile", "/etc/ssh/%u"]]],
    ["AUTHORIZEDKEYSFILE = none\r", [["authorizedkeysfile", "none"]]],
    [`AuthorizedKeysFile "/etc/my keys/%u" '/b c' d\\ e`, [["authorizedkeysfile", "/etc/my keys/%u", "/b c", "d e"]]],
    ["Include /etc/ssh/sshd_config.d/*.conf", [["include", "/etc/ssh/sshd_config.d/*.conf"]]],
    ["# AuthorizedKeysFile x\n#Include y\nPort 22\nAuthorizedKeysFile\n", []],
    ["AuthorizedKeysFileX a", []],
    ["AuthorizedKeysCommand /bin/x", []],
  ])("%j", (text, expected) => expect(values(text)).toEqual(expected));

  test("a Match block ends with the file, or where all match", () => {
    const text = "Match User a\nAuthorizedKeysFile x\nMatch all\nAuthorizedKeysFile y\nmatch Group b\nInclude z\n";
    expect(parseSshdConfig(text)).toEqual([
      { keyword: "authorizedkeysfile", values: ["x"], line: 2, matched: true },
      { keyword: "authorizedkeysfile", values: ["y"], line: 4, matched: false },
      { keyword: "include", values: ["z"], line: 6, matched: true },
    ]);
    expect(parseSshdConfig("Match all\nAuthorizedKeysFile x", true)).toMatchObject([{ matched: true }]);
  });

  test("takes any text, in no time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const { line } of parseSshdConfig(`Include a\n${text}`)) expect(line).toBeGreaterThan(0);
      }),
    );
    const begin = performance.now();
    for (const filler of ['"', "\\", " ", "'", "a", '" '])
      parseSshdConfig(`AuthorizedKeysFile ${filler.repeat(300_000)}`);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

test.each([
  [".ssh/authorized_keys", "/home/ann/.ssh/authorized_keys"],
  ["~/.ssh/keys", "/home/ann/.ssh/keys"],
  ["%h/k", "/home/ann/k"],
  ["/etc/ssh/keys/%u.%U.%%u", "/etc/ssh/keys/ann.1000.%u"],
  ["//etc//keys", "/etc/keys"],
  ["%x", "/home/ann/%x"],
  ["none", undefined],
])("AuthorizedKeysFile %s", (pattern, file) => {
  expect(keyFileOf(pattern, { name: "ann", uid: 1000, home: "/home/ann" })).toBe(file as string);
});

test("homes that are no absolute paths", () => {
  const file = (home: string) => keyFileOf(".ssh/k", { name: "a", uid: 1, home });
  expect([file(""), file("/"), file("srv"), file("/srv/")]).toEqual([
    "/.ssh/k",
    "/.ssh/k",
    "/srv/.ssh/k",
    "/srv/.ssh/k",
  ]);
});
