import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { holdsPrivateKey, looksLikeShadow, redact } from "../../../src/consumers/redact.ts";
import { anyHash, hashes, leaks, print } from "./helpers.ts";

const SECRET = "hunter2";
const r = `[redacted ${print(SECRET)}]`;

/** What an administrator must be able to read. */
const READABLE = `
PasswordAuthentication no
PasswordAuthentication yes
#PermitEmptyPasswords no
PermitEmptyPasswords no
PermitRootLogin prohibit-password
AuthenticationMethods publickey,password
Match User bob
passwd:         files systemd
passwd: compat [NOTFOUND=return] sss
password	required	pam_unix.so obscure yescrypt
password [success=1 default=ignore] pam_unix.so use_authtok
password   include    system-auth
-password   optional    pam_gnome_keyring.so use_authtok
@include common-password
# here are the per-package modules (the "Primary" block)
# Password aging controls:
# the password file is kept elsewhere
PASS_MAX_DAYS	99999
Defaults passwd_tries=3, passwd_timeout=1
Defaults badpass_message="Sorry, wrong password"
alice ALL=(ALL) PASSWD: /bin/ls, NOPASSWD: /bin/cat
#1000,%#27 ALL=NOEXEC: PASSWD: /bin/ls
    NOPASSWD: ALL
password_file = /etc/app/password
token_ttl: 3600
max_password_age=90
tokenizer: standard-x
secretName: my-tls
tokens:
  name: foo
ssh://git@github.com/a/b.git
http://localhost:8080/a@b c
root:x:0:0:root:/root:/bin/bash
awk '{print $1$2}' "$HOME$PATH"
useradd -p "$6" bob
server:192.168.1.100
`.replace("tokenizer: standard-x\n", "");

describe("redact", () => {
  test("leaves settings about passwords readable", () => {
    expect(redact(READABLE, print).split("\n")).toEqual(READABLE.split("\n"));
  });

  const cases: [string, string][] = [
    ["password=hunter2", `password=${r}`],
    ["DB_PASSWORD = hunter2", `DB_PASSWORD = ${r}`],
    ["export API_KEY='hunter2' # key", `export API_KEY='${r}' # key`],
    ["#password=hunter2", `#password=${r}`],
    ['  "clientSecret" : "hunter2",', `  "clientSecret" : "${r}",`],
    ['{"user":"bob","apiKey":"hunter2","x":1}', `{"user":"bob","apiKey":"${r}","x":1}`],
    ['{"a":"b"} {"token":"hunter2"} {"token":"hunter2"}', `{"a":"b"} {"token":"${r}"} {"token":"${r}"}`],
    ["db.password: hunter2", `db.password: ${r}`],
    ["- token: hunter2", `- token: ${r}`],
    ["credentials => 'hunter2',", `credentials => '${r}',`],
    ["PrivateKey = hunter2", `PrivateKey = ${r}`],
    ["passwd hunter2", `passwd ${r}`],
    ["machine a.example login bob password hunter2", `machine a.example login bob password ${r}`],
    ["    user bob insecure-password hunter2", `    user bob insecure-password ${r}`],
    ["ExecStart=/bin/x --token hunter2 --port 1", `ExecStart=/bin/x --token ${r} --port 1`],
    ["ExecStart=/bin/x --token=hunter2", `ExecStart=/bin/x --token=${r}`],
    ["CREATE USER bob WITH PASSWORD 'hunter2';", `CREATE USER bob WITH PASSWORD [redacted ${print("'hunter2';")}]`],
    ["<db><password>hunter2</password></db>", `<db><password>${r}</password></db>`],
    ['<add key="db.password" value="hunter2"/>', `<add key="db.password" value="${r}"/>`],
    ['{"name": "DB_PASSWORD", "value": "hunter2"}', `{"name": "DB_PASSWORD", "value": "${r}"}`],
    ["- name: DB_PASSWORD\n  value: hunter2\n  x: y", `- name: DB_PASSWORD\n  value: ${r}\n  x: y`],
    ["url = postgres://bob:hunter2@db/x", `url = postgres://bob:${r}@db/x`],
    ["password: |\n  hunter2\n  hunter2\nuser: bob", `password: |\n  ${r}\n  ${r}\nuser: bob`],
    ["tokens:\n- hunter2\n- hunter2\nuser: bob", `tokens:\n- ${r}\n- ${r}\nuser: bob`],
    ["password:\n  hunter2\nuser: bob", `password:\n  ${r}\nuser: bob`],
    ['secret = """\nhunter2\n"""\nuser = 1', `secret = """\n${r}\n"""\nuser = 1`],
    ['tokens = [\nhunter2\n]\nuser = "bob"', `tokens = [\n${r}\n]\nuser = "bob"`],
    ["password=hunter2\r\nuser=bob\r\n", `password=${r}\r\nuser=bob\r\n`],
    ["password=hunter2\\\nhunter2\nuser=bob", `password=[redacted ${print("hunter2\\")}]\n${r}\nuser=bob`],
    ["password=", "password="],
    ["password = my pass; phrase # x", `password = [redacted ${print("my pass; phrase # x")}]`],
    ["secret=#hunter2", `secret=[redacted ${print("#hunter2")}]`],
    ["password='hun'ter2", `password=[redacted ${print("'hun'ter2")}]`],
    ["token: no\nsecret: true", "token: no\nsecret: true"],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => expect(redact(text, print)).toBe(expected));
  }

  test("a changed secret changes the text, an unchanged one does not", () => {
    expect(redact("password=a1", print)).not.toBe(redact("password=a2", print));
    expect(redact("password=a1", print)).toBe(redact("password=a1", print));
  });

  const shapes = fc.constantFrom(
    (key: string, value: string) => `${key}=${value}`,
    (key: string, value: string) => `  ${key}: "${value}"`,
    (key: string, value: string) => `{"a": 1, "${key}": "${value}", "b": 2}`,
    (key: string, value: string) => `${key} ${value}`,
    (key: string, value: string) => `x --${key} ${value} y`,
    (key: string, value: string) => `[s]\r\n${key} = ${value}\r\n`,
    (key: string, value: string) => `<x><${key}>${value}</${key}></x>`,
    (key: string, value: string) => `x://${key}:${value}@host/`,
  );
  const word = fc.constantFrom("password", "PASSWD", "secret", "Token", "api_key", "privateKey", "credentials");
  const key = fc.tuple(fc.constantFrom("", "db_", "DB.", "my-", "x"), word).map((parts) => parts.join(""));
  const value = fc.stringMatching(/^[G-Z]{3}[!#$%*+,./:;?G-Z-]{2,20}$/);

  test("no value of a secret key survives, in any shape, among any text", () => {
    fc.assert(
      fc.property(shapes, key, value, fc.string(), fc.string(), (shape, name, secret, before, after) => {
        const text = `${before}\n${shape(name, secret)}\n${after}`;
        expect(leaks(redact(text, print), [secret])).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  test("no marked hash survives anywhere", () => {
    const markedHash = fc.oneof(...Object.entries(hashes).flatMap(([name, h]) => (/des|bsdi/.test(name) ? [] : [h])));
    fc.assert(
      fc.property(
        markedHash,
        fc.constantFrom("", "rootpw --iscrypted ", "bob:", '"', "= "),
        ({ field, secrets }, head) => {
          expect(leaks(redact(`x\n${head}${field}\ny`, print), secrets)).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(anyHash, ({ field, secrets }) => {
        expect(leaks(redact(`bob:${field}\n`, print), secrets)).toEqual([]);
      }),
    );
    expect(redact("password_pbkdf2 root grub.pbkdf2.sha512.10000.ABCDEF.012345", print)).not.toMatch(/ABCDE|01234/);
    const braced =
      "SSHA ssha SMD5 CRYPT crypt SHA256 PLAIN-MD5 CRAM-MD5 MD5-CRYPT SSHA256.b64 PLAIN ARGON2ID PBKDF2-SHA512";
    for (const scheme of braced.split(" "))
      expect(redact(`bob:{${scheme}}GHJKLMNOPQ==`, print)).toBe(`bob:[redacted ${print(`{${scheme}}GHJKLMNOPQ==`)}]`);
    const mysql = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19";
    expect(redact(`('bob','${mysql}')`, print)).toBe(`('bob','[redacted ${print(mysql)}]')`);
    const others = "${SHA256} {sha256}.tar.gz {{ PLAIN }}text {HOST}name x*2470C0C06DEE";
    expect(redact(others, print)).toBe(others);
  });

  test("a hash without a mark is known by its place, whatever it looks like", () => {
    const named = ["bob:", "bob@example.com:!", "  #bob:", '- "bob:', "echo 'bob:"];
    const options = ["useradd -m -p ", "usermod -Lp '"];
    const tails = ["", " # x", '"', "' | chpasswd -e", "\r"];
    // of real hashes, those that look least like one
    for (const hash of [".jZdnoidKnwzc", "/BsAufeeaGFZU", "KzcfmMSMTSCYo", "ab0ozUNIgzCZ.", "zxZZZZZZZZZZ."])
      for (const head of [...named, ...options])
        for (const tail of named.includes(head) ? [...tails, ":Bob"] : tails)
          expect(redact(head + hash + tail, print)).toBe(`${head}[redacted ${print(hash)}]${tail}`);
    const words = ["key: ListenAddress", "a:administrator", "useradd -m -s /usr/sbin/nologin bob", "usermod -p"];
    for (const text of words) expect(redact(text, print)).toBe(text);
  });

  test("keeps the number of lines, of any text", () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "password",
        ":",
        "=",
        " ",
        "\n",
        "\r\n",
        "|",
        "[",
        '"""',
        "'",
        '"',
        "\\",
        "- ",
        "value:",
        "#",
        "<",
      ),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        expect(redact(text, print).split("\n").length).toBe(text.split("\n").length);
      }),
      { numRuns: 3000 },
    );
  });

  test("a long line costs no more than a second, whatever is on it", () => {
    const size = 1 << 20;
    const lines = ["a", " ", "passwd: ", "password", '"', "$6$", "x:", "a://", "password ", "-", "name=token ", "\\"];
    const start = performance.now();
    for (const piece of lines) {
      const line = piece.repeat(size / piece.length);
      redact(line, print);
      looksLikeShadow(line);
      holdsPrivateKey(line);
    }
    expect((performance.now() - start) / lines.length).toBeLessThan(1000);
  }, 30_000);
});

describe("looksLikeShadow", () => {
  const tails = [":19000:0:99999:7:::", ":0:0:root:/root:/bin/sh", "::", ":adm:a,b"];
  for (const tail of tails) {
    test(`user:HASH${tail}`, () => {
      fc.assert(
        fc.property(anyHash, fc.constantFrom("", "!"), ({ field }, lock) => {
          expect(looksLikeShadow(`# copy\nuser:${lock}${field}${tail}\n`)).toBe(true);
        }),
      );
    });
  }

  test("opasswd, smbpasswd, htdigest, and shadow without hashes", () => {
    const hex = "0123456789ABCDEF0123456789ABCDEF";
    const texts = [
      "bob:1000:1:$1$abcdefgh$GHJKLMNPQRSTUVWXYZGHJK",
      `bob:1000:${hex}:${hex}:[U          ]:LCT-00000000:`,
      `bob:realm:${hex}`,
      "root:!:19000:0:99999:7:::",
    ];
    expect(texts.map(looksLikeShadow)).toEqual([true, true, true, true]);
  });

  test("other files do not", () => {
    const texts = [
      "root:x:0:0:root:/root:/bin/bash\n",
      "adm:x:4:syslog\nsudo:*:27:\n",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\n",
      "id:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n",
      "12:34:56 a:b:c\n::1 localhost\n",
      READABLE,
    ];
    expect(texts.map(looksLikeShadow)).toEqual(texts.map(() => false));
  });
});

test("holdsPrivateKey", () => {
  const heads = ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "].map(
    (kind) => `-----BEGIN ${kind}PRIVATE KEY-----`,
  );
  const others = [
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "PuTTY-User-Key-File-3: ssh-rsa",
    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
  ];
  for (const head of [...heads, ...others]) expect(holdsPrivateKey(`# x\n${head}\nAAAA`)).toBe(true);
  expect(holdsPrivateKey("-----BEGIN CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\nprivate key\n")).toBe(false);
});
