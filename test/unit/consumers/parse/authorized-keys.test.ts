import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parseAuthorizedKeys } from "../../../../src/consumers/parse/authorized-keys.ts";
import { print } from "../helpers.ts";

const parse = (text: string) => parseAuthorizedKeys(new TextEncoder().encode(text), print);

/** A blob of RFC 4251's strings, in base64. */
function blob(...parts: (string | Uint8Array)[]): string {
  const strings = parts.flatMap((part) => {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(strings).toString("base64");
}

const ED25519 = `ssh-ed25519 ${blob("ssh-ed25519", new Uint8Array(32).fill(7))}`;
/** ssh-keygen makes no key of a security key without one, but it reads them. */
const SK = [
  `sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com", new Uint8Array(32).fill(8), "ssh:")} yubi`,
];
const P256 = Buffer.from(
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  "hex",
);
SK.push(
  `sk-ecdsa-sha2-nistp256@openssh.com ${blob("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", P256, "ssh:")} solo`,
);

describe("fingerprints are those of ssh-keygen -l", () => {
  const directory = mkdtempSync(join(tmpdir(), "bpfink-keys-"));
  const at = (name: string) => join(directory, name);
  const keygen = (...args: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["ssh-keygen", ...args], { stdin: "ignore" });
    if (exitCode !== 0) throw new Error(stderr.toString());
    return stdout.toString();
  };
  const lines: string[] = [...SK];
  for (const [name, ...options] of [
    ["ca", "-t", "ed25519"],
    ["ed", "-t", "ed25519"],
    ["rsa", "-t", "rsa", "-b", "2048"],
    ["rsa3", "-t", "rsa", "-b", "3072"],
    ["p256", "-t", "ecdsa", "-b", "256"],
    ["p384", "-t", "ecdsa", "-b", "384"],
    ["p521", "-t", "ecdsa", "-b", "521"],
  ] as const) {
    keygen("-q", ...options, "-N", "", "-C", `${name}@here and there`, "-f", at(name));
    lines.push(readFileSync(at(`${name}.pub`), "utf8").trim());
    if (name === "ca") continue;
    keygen("-q", "-s", at("ca"), "-I", "id", "-n", "ann,bob", at(`${name}.pub`));
    lines.push(readFileSync(at(`${name}-cert.pub`), "utf8").trim());
  }
  const options = `from="10.0.0.0/8,*.example.org",command="echo \\"a, b\\" # c",no-pty`;
  lines.push(`${options} ${lines.at(-1)}`, `\tcert-authority ${lines[2]}`);
  writeFileSync(at("all"), `${lines.join("\n")}\n`);
  const expected = keygen("-lf", at("all")).trim().split("\n");

  // lines that somebody writes so that a reader less patient than sshd sees no key, or another one
  const word = (name: string) => readFileSync(at(name), "utf8").split(" ")[1] ?? "";
  const [rsa, cert, ed] = ["rsa.pub", "rsa-cert.pub", "ed.pub"].map(word) as [string, string, string];
  const strings = (base64: string) => {
    const bytes = Buffer.from(base64, "base64");
    const parts: Buffer[] = [];
    for (let i = 0; i < bytes.length; i += 4 + bytes.readUInt32BE(i))
      parts.push(bytes.subarray(i + 4, i + 4 + bytes.readUInt32BE(i)));
    return parts as [Buffer, Buffer, Buffer];
  };
  const [name, exponent, modulus] = strings(rsa);
  const zeros = Buffer.alloc(3);
  const odd = [
    ...["rsa-sha2-256", "rsa-sha2-512", "RSA", "rsa", "SSH-RSA", "ssh-dss"].map((type) => `${type} ${rsa}`),
    `rsa-sha2-256-cert-v01@openssh.com ${cert}`,
    `ssh-rsa ${cert}`,
    `ssh-rsa-cert-v01@openssh.com ${rsa}`,
    `ssh-rsa ${blob("rsa-sha2-256", exponent, modulus)}`,
    `ssh-rsa ${blob(name, Buffer.concat([zeros, exponent]), Buffer.concat([zeros, modulus]))}`,
    `ssh-rsa ${blob(name, exponent, modulus.subarray(1))}`,
    `webauthn-sk-ecdsa-sha2-nistp256@openssh.com ${SK[1]?.split(" ")[1]}`,
    ...["\v", "\f", "\r", "\v\f\r"].map((space) => `ssh-ed25519 ${ed.slice(0, 20)}${space}${ed.slice(20)} x`),
    ...["=", "==", "A", "\v", "\r", "=\v"].map((end) => `ssh-ed25519 ${ed}${end}`),
    ...[31, 33].map((length) => `ssh-ed25519 ${blob("ssh-ed25519", new Uint8Array(length))}`),
    `ssh-ed25519 \t ${ed}`,
    `\vssh-ed25519 ${ed}`,
    `ssh-ed25519\v${ed}`,
  ];
  const taken = odd.map((line) => {
    writeFileSync(at("one"), `${line}\n`);
    const { stdout } = Bun.spawnSync(["ssh-keygen", "-lf", at("one")], { stdin: "ignore" });
    return stdout.toString().split(" ").slice(0, 2).join(" ");
  });
  rmSync(directory, { recursive: true });

  test("what is oddly written is a key where ssh-keygen takes it for one", () => {
    const found = odd.map((line) => {
      const { entries } = parse(`${line}\n`);
      return entries.map(({ bits, fingerprint }) => `${bits} ${fingerprint}`).join();
    });
    expect(found).toEqual(taken);
    expect(taken.filter((key) => key !== "").length).toBeGreaterThan(8);
  });

  test.each(lines.map((line, i) => [line.slice(0, 60), line, expected[i]!] as const))("%s", (_, line, shown) => {
    const { entries, problems } = parse(line);
    expect(problems).toEqual([]);
    const { bits, fingerprint, comment, type } = entries[0]!;
    expect(`${bits} ${fingerprint} ${comment} (${type})`).toBe(shown);
  });

  test("one for each line", () => expect(expected).toHaveLength(lines.length));
});

describe("parseAuthorizedKeys", () => {
  test("options with quoted commas and spaces, comments, blank lines, CRLF", () => {
    const { entries, problems } = parse(
      `# head\n\n  ${ED25519}\r\nno-pty,command="a \\"b, c\\" d",from="1.2.3.4,!5.6.7.8" ${ED25519} a b  c \n`,
    );
    expect(problems).toEqual([]);
    expect(entries).toMatchObject([
      { type: "ED25519", bits: 256 },
      {
        type: "ED25519",
        comment: "a b  c",
        options: ["no-pty", 'command="a \\"b, c\\" d"', 'from="1.2.3.4,!5.6.7.8"'],
      },
    ]);
    expect(entries[0]).not.toHaveProperty("comment");
    expect(entries[0]).not.toHaveProperty("options");
  });

  test("what sshd would not take is a problem, and none of it is told", () => {
    const [, base64 = ""] = ED25519.split(" ");
    const pasted = [
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
      `ssh-rsa ${base64} wrong name`,
      `ssh-ed25519 ${base64.slice(0, -8)}`,
      `ssh-ed25519 ${base64}AAAA`,
      `ssh-ed25519 not-base64`,
      "ssh-ed25519",
      `no-pty,command="open ${ED25519}`,
      "2048 35 1234567890 ssh1@old",
      "root:$6$GHJKLMNP$QRSTUVWXYZGHJKLMNPQRSTUVWXYZ:19000:0:99999:7:::",
    ];
    const found = parse(`${pasted.join("\n")}\n${ED25519}\n`);
    expect(found.entries).toHaveLength(1);
    expect(found.problems).toEqual(pasted.map((_, i) => ({ line: i + 1, reason: "not a key that sshd would take" })));
  });

  test("secrets in options and comments are replaced", () => {
    const hash = "$6$GHJKLMNP$QRSTUVWXYZGHJKLMNPQRSTUVWXYZ";
    const told = JSON.stringify(parse(`environment="API_TOKEN=hunter2xyz",no-pty ${ED25519} ${hash}\n`));
    expect(told).not.toContain("hunter2");
    expect(told).not.toContain("QRSTU");
    expect(told).toContain('environment=\\"API_TOKEN=[redacted ');
  });

  test("takes any bytes; what is torn costs no other line", () => {
    const word = fc.constantFrom('"', "\\", ",", " ", "\t", "\0", "\r", "ssh-ed25519", "no-pty", ...ED25519.split(" "));
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ unit: "binary", maxLength: 20 }))), (words) => {
        const garbage = words.join("");
        const { entries, problems } = parse(`${ED25519}\n${garbage}\n${ED25519}\n`);
        expect(entries.filter(({ bits }) => bits === 256).length).toBeGreaterThanOrEqual(2);
        for (const { line } of problems) expect(line).toBeWithin(2, garbage.split("\n").length + 2);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseAuthorizedKeys(bytes, print);
      }),
    );
  });

  test("a key cut anywhere is none, or the same with less of a comment", () => {
    const line = `${SK[0]} and more`;
    const [{ fingerprint } = { fingerprint: "" }] = parse(line).entries;
    for (let length = 1; length < line.length; length++) {
      for (const entry of parse(line.slice(0, length)).entries) expect(entry.fingerprint).toBe(fingerprint);
    }
  });

  test("huge lines take no time", () => {
    const begin = performance.now();
    for (const filler of ['"', "\\", ",", "a ", "=", "A", '\\"']) {
      parse(`command="${filler.repeat(500_000)}\n${filler.repeat(500_000)} ${ED25519}\n`);
    }
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
