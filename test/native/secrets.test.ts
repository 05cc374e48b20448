// No part of a password hash may leave the file it is in: not to stdout, stderr, or the database.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Bpfink } from "../e2e/bpfink.ts";
import { TemporaryDirectory } from "../e2e/files.ts";
import { BPFINK, end, SLOW } from "../e2e/process.ts";

const secrets: { readonly text: string; readonly shortest: number }[] = [];

/** Two hashes of each scheme of crypt(5), in pairs; what is random in them is in no other text here. */
const HASHES: readonly (readonly [scheme: string, first: string, second: string])[] = [
  ["yescrypt", `$y$j9T$${secret(22)}$${secret(43)}`, `$y$j9T$${secret(22)}$${secret(43)}`],
  ["gost-yescrypt", `$gy$j9T$${secret(22)}$${secret(43)}`, `$gy$j9T$${secret(22)}$${secret(43)}`],
  ["scrypt", `$7$CU..../....${secret(20)}$${secret(43)}`, `$7$CU..../....${secret(20)}$${secret(43)}`],
  ["bcrypt", `$2b$05$${secret(53)}`, `$2b$05$${secret(53)}`],
  ["sha512", `$6$${secret(16)}$${secret(86)}`, `$6$rounds=70000$${secret(16)}$${secret(86)}`],
  ["sha256", `$5$${secret(16)}$${secret(43)}`, `$5$${secret(16)}$${secret(43)}`],
  ["sha1", `$sha1$40000$${secret(8)}$${secret(28)}`, `$sha1$40000$${secret(8)}$${secret(28)}`],
  ["sunmd5", `$md5,rounds=5000$${secret(8)}$$${secret(22)}`, `$md5,rounds=5000$${secret(8)}$$${secret(22)}`],
  ["md5", `$1$${secret(8)}$${secret(22)}`, `$1$${secret(8)}$${secret(22)}`],
  ["nt", `$3$$${hex(32)}`, `$3$$${hex(32)}`],
  ["sm3-yescrypt", `$sm3y$j9T$${secret(22)}$${secret(43)}`, `$sm3y$j9T$${secret(22)}$${secret(43)}`],
  ["sm3", `$sm3$${secret(16)}$${secret(43)}`, `$sm3$rounds=5000$${secret(16)}$${secret(43)}`],
  ["bigcrypt", secret(24), secret(35)],
  ["des", secret(13), secret(13)],
  ["unknown scheme", `$zz$${secret(16)}$${secret(40)}`, `$zz$${secret(16)}$${secret(40)}`],
];

/** Names under which the same content is watched. */
const NAMES = [
  "etc/shadow",
  "etc/shadow-",
  "etc/shadow+",
  "etc/gshadow",
  "etc/gshadow-",
  "etc/passwd",
  "notes.txt",
  "etc/app.conf",
];

/** Random, and of a kind (capitals and others by turns) that nothing else here has even five characters of. */
function secret(length: number): string {
  const pick = (alphabet: string) => alphabet[Math.floor(Math.random() * alphabet.length)] ?? "";
  const characters = Array.from({ length }, (_, i) =>
    pick(i % 2 === 0 ? "GHJKLMNPQRSTUVWXYZ" : "ghjkmnpqrstvwxyz23456789./"),
  );
  const text = characters.join("");
  secrets.push({ text, shortest: 5 });
  return text;
}

/** Digests and fingerprints are hexadecimal, too: five characters of this are found by chance. */
function hex(length: number): string {
  const text = Buffer.from(crypto.getRandomValues(new Uint8Array(length / 2))).toString("hex");
  secrets.push({ text, shortest: 10 });
  return text;
}

/** The content of one file: every scheme's hash, the first or the second, for a user each. */
function content(name: string, which: 1 | 2, prefix: string): string {
  const line = (user: string, hash: string) => {
    if (name.includes("gshadow")) return `${user}:${hash}:root:nobody\n`;
    if (name.endsWith("passwd")) return `${user}:${hash}:1000:1000::/home:/bin/sh\n`;
    return `${user}:${hash}:19000:0:99999:7:::\n`;
  };
  return HASHES.map((hashes, i) => line(`user${i}`, prefix + hashes[which])).join("");
}

/** The first piece of each secret that a text holds, and what is around it. */
function leaks(text: string): string[] {
  return secrets.flatMap(({ text: whole, shortest }) => {
    for (let i = 0; i + shortest <= whole.length; i++) {
      const at = text.indexOf(whole.slice(i, i + shortest));
      if (at >= 0) return [`${whole.slice(i)}: …${text.slice(Math.max(0, at - 80), at + 80)}…`];
    }
    return [];
  });
}

/** Every message, and the metrics too. */
const METRICS = ["--log-level", "debug", "--graphite", "-", "--graphite-interval", "1s"];

/** What the other commands print of the same database and the same files, as lines and as for a terminal. */
async function printedLater(database: string, watch: readonly string[]): Promise<string> {
  const watched = watch.flatMap((path) => ["--watch", path]);
  const formats = ["ecs", "ocsf"].map((format) => ["check", ...watched, "--format", format]);
  const others = [["history"], ["history", "--diff"], ["check", ...watched], ["expect", "--list"], ["gone"]];
  const commands = [...others, ...formats];
  const outputs = commands.map(async ([command = "", ...more]) => {
    const args = [BPFINK, command, "--database", database, "--log-level", "debug", ...more];
    const onTerminal = ["script", "-qec", args.map((arg) => `'${arg}'`).join(" "), "/dev/null"];
    const [plain, shown] = [await end(args), await end(onTerminal)];
    return plain.stdout + plain.stderr + shown.stdout + shown.stderr;
  });
  return (await Promise.all(outputs)).join("\n");
}

test(
  "no part of a hash or salt is printed or kept, whatever the file is called",
  async () => {
    using directory = new TemporaryDirectory();
    const write = (which: 1 | 2, prefix: string) => {
      for (const name of NAMES) directory.write(name, content(name, which, prefix), 0o600);
    };
    write(1, "");
    const database = directory.at("state/bpfink.db");
    const watch = [...NAMES.map((name) => directory.at(name)), directory.directory("dir")];
    await using bp = await Bpfink.start({ watch, database, args: METRICS });
    const rounds: readonly (readonly [which: 1 | 2, prefix: string])[] = [
      [2, ""],
      [2, "!"],
      [1, "!"],
      [1, ""],
    ];
    for (const [which, prefix] of rounds) {
      write(which, prefix);
      for (const name of NAMES) {
        const line = await bp.nextChange(directory.at(name));
        if (/\/(shadow.?|passwd)$/.test(name)) expect(line["add"]).toHaveLength(HASHES.length);
      }
      await bp.noMoreLines();
    }
    // half a line, a line without its name, a hash on a line of its own; what follows a line torn in its hash
    const hash = HASHES[4]?.[1] ?? "";
    const torn = `${hash.slice(6)}:1:2:3\n`;
    for (const broken of [`root:${hash}`, `${hash}:19000:0:99999:7:::\n`, `${hash}\n`, torn]) {
      for (const name of broken === torn ? NAMES.slice(0, -2) : NAMES) directory.write(name, broken, 0o600);
      await bp.rest();
    }
    directory.write("dir/nshadow", content("shadow", 2, ""));
    directory.write("dir/shadow.1234", content("shadow", 2, ""));
    directory.write("dir/.shadow.swp", content("shadow", 2, ""));
    expect((await bp.rest()).length).toBe(3);

    const databaseFiles = () => readdirSync(directory.at("state")).map((name) => join(directory.at("state"), name));
    const live = databaseFiles().flatMap((path) => leaks(readFileSync(path, "latin1")));
    const { status, stdout, stderr } = await bp.stop("SIGTERM");
    write(2, "!"); // for check to find
    const later = await printedLater(database, watch);
    for (const text of ["user0", "etc/gshadow", "differ", "bpfink: error:", '"class_uid":1001', '"ecs":{'])
      expect(later).toContain(text);
    const kept = databaseFiles().flatMap((path) => leaks(readFileSync(path, "latin1")));

    expect(stderr).toContain("events.seen");
    const printed = { stdout: leaks(stdout), stderr: leaks(stderr), later: leaks(later) };
    expect({ live, kept, ...printed }).toEqual({ live: [], kept: [], stdout: [], stderr: [], later: [] });
    expect(status).toBe(0);
    expect(leaks(readFileSync(directory.at("dir/nshadow"), "latin1"))).not.toBeEmpty(); // it would have been found
    const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);
    expect(mode(directory.at("state"))).toBe("700");
    expect(databaseFiles().map(mode)).toEqual(databaseFiles().map(() => "600"));
  },
  SLOW,
);
