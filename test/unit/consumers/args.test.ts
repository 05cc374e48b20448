import { expect, test } from "bun:test";
import { redactArgs } from "../../../src/consumers/args.ts";

const shown = (...args: string[]) => redactArgs(args, () => "FINGER");
const R = "[redacted FINGER]";

test("password hashes given to shadow-utils, marked or not, apart or together", () => {
  expect(shown("usermod", "-p", "abJnggxhB/yWI", "carol")).toEqual(["usermod", "-p", R, "carol"]);
  expect(shown("/usr/sbin/useradd", "-mp", "x1JnggxhB/yWI", "carol")).toEqual(["/usr/sbin/useradd", "-mp", R, "carol"]);
  expect(shown("usermod", "-pabJnggxhB/yWI", "carol")).toEqual(["usermod", `-p${R}`, "carol"]);
  expect(shown("useradd", "-mpZZZZZ", "carol")).toEqual(["useradd", `-mp${R}`, "carol"]);
  expect(shown("usermod", "--password", "abJnggxhB/yWI", "carol")).toEqual(["usermod", "--password", R, "carol"]);
  expect(shown("usermod", "--password=$6$salt$hash", "carol")).toEqual(["usermod", `--password=${R}`, "carol"]);
});

test("the program may be another's argument", () => {
  expect(shown("sudo", "usermod", "-p", "ZZZZZ", "carol")).toEqual(["sudo", "usermod", "-p", R, "carol"]);
  expect(shown("env", "X=1", "/usr/sbin/useradd", "-pZZZZZ", "carol")).toEqual(
    ["env", "X=1", "/usr/sbin/useradd"].concat(`-p${R}`, "carol"),
  );
  expect(shown("sh", "-c", "usermod -p \\$6\\$abcdefgh\\$012345 carol; useradd -p ab0ozUNIgzCZ. bob")).toEqual(
    ["sh", "-c"].concat(`usermod -p ${R} carol; useradd -p ${R} bob`),
  );
});

test("htpasswd -b", () => {
  expect(shown("htpasswd", "-cb", "/etc/users", "bob", "hunter2")).toEqual(
    ["htpasswd", "-cb", "/etc/users"].concat("bob", R),
  );
  expect(shown("htpasswd", "-c", "/etc/users", "bob")).toEqual(["htpasswd", "-c", "/etc/users", "bob"]);
});

test("hashes inside of other arguments", () => {
  expect(shown("sed", "-i", "s/^daemon:[^:]*/daemon:$6$abcdefgh$0123456789/", "/etc/shadow")).toEqual([
    "sed",
    "-i",
    `s/^daemon:[^:]*/daemon:${R}`, // a slash can be part of a hash
    "/etc/shadow",
  ]);
  expect(shown("sh", "-c", "echo 'carol:$y$j9T$abcdefgh$012345' | chpasswd -e")).toEqual([
    "sh",
    "-c",
    `echo 'carol:${R}' | chpasswd -e`,
  ]);
});

test("secrets of other programs", () => {
  expect(shown("curl", "--api-key", "hunter2", "https://u:pw123@example.test/")).toEqual([
    "curl",
    "--api-key",
    R,
    `https://u:${R}@example.test/`,
  ]);
  expect(shown("app", "DB_PASSWORD=hunter2")).toEqual(["app", `DB_PASSWORD=${R}`]);
});

test("arguments without secrets stay as they are", () => {
  const plain = ["mv", "-f", "/etc/passwd+", "/etc/passwd", "", "README.md.txt"];
  expect(shown(...plain)).toEqual(plain);
  for (const some of [
    ["mkdir", "-p", "a/b"],
    ["install", "-p", "a", "/usr/sbin/useradd"],
  ])
    expect(shown(...some)).toEqual(some);
});
