import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { isUnmarkedHash, UNMARKED_WORD } from "../../src/unmarked.ts";

/** Of 300 passwords, by crypt(3) of this machine. */
const CRYPT = `@c = (".", "/", 0..9, "A".."Z", "a".."z"); srand(1);
for $i (1..300) {
  $salt = join "", map { $c[rand 64] } 1..4;
  print join(" ", map { crypt("secret $i, and longer than eight", $_) } substr($salt, 0, 2), "_J9..$salt", "ab" . "." x 30), "\\n";
}`;

test("nearly all hashes that crypt(3) makes without a mark are known by their shape", () => {
  const lines = execFileSync("perl", ["-e", CRYPT], { encoding: "utf8" }).trim().split("\n");
  expect(lines).toHaveLength(300);
  for (const which of [0, 1, 2]) {
    const known = lines.map((line) => line.split(" ")[which] ?? "").filter(isUnmarkedHash);
    expect(known.length).toBeGreaterThan(290);
  }
});

test("words, paths and names are none", () => {
  const words =
    "ListenAddress Documentation /usr/bin/Xorg /etc/init.d/S MaxAuthTries4 authorizedKey example.com.2 " +
    "AAAAAAAAAAAAA 2026-11-23T20 c1a2b3d4e5f60 ABCDEFGH12346 _underscored_name_2 X11Forwarding " +
    "PasswordAuthentication.2 DefaultEnvironmentFile.2 org.freedesktop.DBus.Ex2";
  expect(words.split(" ").filter(isUnmarkedHash)).toEqual([]);
});

test("a hash is a word by itself: in quotes, in a sentence, as a value; not within base64", () => {
  const hash = "ab0ozUNIgzCZ.";
  const found = (text: string) => text.match(UNMARKED_WORD) ?? [];
  for (const text of [hash, `"${hash}"`, `it is ${hash}.`, `x=${hash}`, `bob:${hash}:1`])
    expect(found(text)).toEqual([hash]);
  for (const text of [`a+${hash}`, `${hash}+a`, `${hash}=`, `a${hash}`, `${hash}a`])
    expect(found(text)).not.toContain(hash);
});
