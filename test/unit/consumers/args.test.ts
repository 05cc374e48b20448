import { expect, test } from "bun:test";
import { redactArgs } from "../../../src/consumers/args.ts";

const shown = (...args: string[]) => redactArgs(args, () => "FINGER");
const R = "[redacted FINGER]";

test("password hashes given to shadow-utils, marked or not, apart or together", () => {
  expect(shown("usermod", "-p", "abJnggxhB/yWI", "carol")).toEqual(["usermod", "-p", R, "carol"]);
  expect(shown("/usr/sbin/useradd", "-mp", "x1JnggxhB/yWI", "carol")).toEqual(["/usr/sbin/useradd", "-mp", R, "carol"]);
  expect(shown("usermod", "-pabJnggxhB/yWI", "carol")).toEqual(["usermod", `-p${R}`, "carol"]);
  expect(shown("usermod", "--password", "abJnggxhB/yWI", "carol")).toEqual(["usermod", "--password", R, "carol"]);
  expect(shown("usermod", "--password=$6$salt$hash", "carol")).toEqual(["usermod", `--password=${R}`, "carol"]);
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
  expect(shown("mkdir", "-p", "a/b")).toEqual(["mkdir", "-p", "a/b"]);
});
