// The programs that administrators change users with, and the lines that come of them, word by word.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFileSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { Bpfink } from "../e2e/bpfink.ts";
import { Etc } from "../e2e/etc.ts";
import type { Line } from "../e2e/line.ts";
import { run, SLOW } from "../e2e/process.ts";

const etc = new Etc();
let bp: Bpfink;
/** `ssh-keygen -l`'s, of dave's key. */
let dave = "";

beforeAll(async () => {
  for (const name of ["home", "root"]) etc.directory(name);
  await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "dave@laptop", "-f", etc.at("key"));
  dave = (await run("ssh-keygen", "-lf", etc.at("key.pub"))).stdout.split(" ")[1] ?? "";
  const databases = ["passwd", "shadow", "group", "gshadow"].map((name) => `/etc/${name}`);
  etc.write("etc/sudoers", "root ALL=(ALL:ALL) ALL\n", 0o440);
  bp = await Bpfink.start({ root: etc.path, watch: [...databases, "authorized_keys", "/etc/sudoers"] });
}, SLOW);
beforeEach(() => {
  bp.forget();
  hashes.clear();
});
afterAll(async () => {
  await bp[Symbol.asyncDispose]();
  etc[Symbol.dispose]();
});

/** What the users consumer says of one file. */
interface Part {
  readonly changes?: readonly string[];
  readonly add?: readonly object[];
  readonly del?: readonly object[];
  readonly notes?: readonly string[];
}

type Parts = Readonly<Record<string, Part>>;

/** Fingerprints of passwords in order of their appearance, as A, B, … */
const hashes = new Map<string, string>();

function partOf({ changes, add, del, notes }: Line): Part {
  const text = JSON.stringify({ changes, add, del, ...(notes === undefined ? {} : { notes }) });
  const named = text.replace(/"([a-z0-9-]+):([0-9a-f]{8})"/g, (_, scheme: string, print: string) => {
    if (!hashes.has(print)) hashes.set(print, String.fromCharCode(65 + hashes.size));
    return `"${scheme === "sha512" ? scheme : "default"}:${hashes.get(print)}"`;
  });
  return JSON.parse(named) as Part;
}

/** What each program's lines said, as README's table has it: `program file: words`. */
const told = new Set<string>();

function tell(program: string, lines: readonly Line[]): void {
  for (const { file, changes = [], notes = [] } of lines as readonly (Line & Part)[])
    for (const words of [...changes, ...notes])
      told.add(`${program} ${basename(file ?? "")}: ${words.replace(/SHA256:[^ ]+/, "SHA256:…")}`);
}

const NO_EDITOR = "false";

/** Runs a command with our /etc, /home and /root in their places. Returns what each line says, by its file. */
async function linesOf(command: string, editor = NO_EDITOR): Promise<Parts> {
  // vipw takes a file for unchanged whose time is the same to the second
  if (editor !== NO_EDITOR) for (const name of ["passwd", "group"]) utimesSync(etc.at("etc", name), 1, 1);
  await etc.tool(["sh", "-ec", command], { env: { EDITOR: editor, VISUAL: editor } }, ["etc", "home", "root"]);
  const lines = await bp.rest();
  tell(/(?:.*\| )?(\S+)/.exec(command)?.[1] ?? "", lines);
  const parts = lines.map((line) => [line.file, partOf(line)] as const);
  expect(new Set(lines.map(({ file }) => file)).size).toBe(lines.length); // one for each file
  return Object.fromEntries(parts) as Parts;
}

const expectParts = (actual: Parts, parts: Parts) => {
  const all = Object.entries(parts).map(([file, part]) => [file, { add: [], del: [], ...part }]);
  expect(actual).toEqual(Object.fromEntries(all) as Parts);
};
const expectLines = async (command: string, parts: Parts, editor = NO_EDITOR) =>
  expectParts(await linesOf(command, editor), parts);

const TODAY = new Date().toISOString().slice(0, 10);
const PASSWD = { user: "carol", uid: 1001, gid: 2000, gecos: "Carol", home: "/home/carol", shell: "/bin/bash" };
const ages = { lastChange: TODAY, minDays: 0, maxDays: 99999, warnDays: 7 };
/** After chage -d 0. */
const EXPIRED = { mustChange: true, minDays: 0, maxDays: 99999, warnDays: 7 };
const shadow = (password: string, more: object = ages) => ({ user: "carol", passwd: password, ...more });
const locked = (behind: string, more: object = ages) => ({
  user: "carol",
  passwd: "locked",
  lockedPasswd: behind,
  ...more,
});
const member = (...groups: string[]) => ({ user: "carol", groups });
const powerful = (user: string) => ({ notes: [`members of "sudo" can usually become root: "${user}" now, too`] });

/** A command, and each line that it leads to. Each begins with what the ones before it left. */
const commands: readonly (readonly [command: string, parts: Parts, editor?: string])[] = [
  [
    "groupadd -g 27 sudo",
    {
      "/etc/group": { changes: ["group sudo added (gid 27)"], add: [{ group: "sudo", gid: 27 }] },
      "/etc/gshadow": { changes: ["group sudo added"], add: [{ group: "sudo", passwd: "locked" }] },
    },
  ],
  [
    "groupadd -g 2000 deploy",
    {
      "/etc/group": { changes: ["group deploy added (gid 2000)"], add: [{ group: "deploy", gid: 2000 }] },
      "/etc/gshadow": { changes: ["group deploy added"], add: [{ group: "deploy", passwd: "locked" }] },
    },
  ],
  [
    "useradd -m -u 1001 -N -g deploy -s /bin/bash -c Carol carol",
    {
      "/etc/passwd": { changes: ["carol added (uid 1001, /bin/bash)"], add: [PASSWD] },
      "/etc/shadow": { changes: ["carol added (password locked)"], add: [shadow("locked")] },
    },
  ],
  [
    "echo 'carol:correct horse' | chpasswd",
    { "/etc/shadow": { changes: ["carol's password set"], add: [shadow("default:A")], del: [shadow("locked")] } },
  ],
  [
    String.raw`printf 'battery\nbattery\n' | passwd carol`,
    {
      "/etc/shadow": { changes: ["carol's password changed"], add: [shadow("default:A")], del: [shadow("default:B")] },
    },
  ],
  [
    "passwd -l carol",
    {
      "/etc/shadow": { changes: ["carol's password locked"], add: [locked("default:A")], del: [shadow("default:A")] },
    },
  ],
  [
    "passwd -u carol",
    {
      "/etc/shadow": { changes: ["carol's password unlocked"], add: [shadow("default:A")], del: [locked("default:A")] },
    },
  ],
  [
    "passwd -d carol",
    {
      "/etc/shadow": {
        changes: ["carol's password removed: none is asked for"],
        add: [shadow("empty")],
        del: [shadow("default:A")],
        notes: ['user "carol" has an empty password'],
      },
    },
  ],
  [
    "echo 'carol:staple' | chpasswd -c SHA512",
    { "/etc/shadow": { changes: ["carol's password set"], add: [shadow("sha512:A")], del: [shadow("empty")] } },
  ],
  [
    "chage -d 0 carol",
    {
      "/etc/shadow": {
        changes: ["carol must change the password at the next login"],
        add: [shadow("sha512:A", EXPIRED)],
        del: [shadow("sha512:A")],
      },
    },
  ],
  [
    "chage -M 90 -E 2030-01-02 carol",
    {
      "/etc/shadow": {
        changes: [
          "carol's account expires on 2030-01-02",
          "carol's maximum password age in days changed from 99999 to 90",
        ],
        add: [shadow("sha512:A", { ...EXPIRED, maxDays: 90, expires: "2030-01-02" })],
        del: [shadow("sha512:A", EXPIRED)],
      },
    },
  ],
  [
    "gpasswd -a carol sudo",
    {
      "/etc/group": { changes: ["carol joined sudo"], add: [member("sudo")], ...powerful("carol") },
      "/etc/gshadow": { changes: ["carol joined sudo"], add: [member("sudo")], ...powerful("carol") },
    },
  ],
  [
    "gpasswd -A carol deploy",
    {
      "/etc/gshadow": {
        changes: ["carol became an administrator of deploy"],
        add: [{ ...member("sudo"), administers: ["deploy"] }],
        del: [member("sudo")],
      },
    },
  ],
  [
    "gpasswd -d carol sudo",
    {
      "/etc/group": { changes: ["carol left sudo"], del: [member("sudo")] },
      "/etc/gshadow": {
        changes: ["carol left sudo"],
        add: [{ ...member(), administers: ["deploy"] }],
        del: [{ ...member("sudo"), administers: ["deploy"] }],
      },
    },
  ],
  [
    "usermod -aG sudo carol",
    {
      "/etc/group": { changes: ["carol joined sudo"], add: [member("sudo")], ...powerful("carol") },
      "/etc/gshadow": {
        changes: ["carol joined sudo"],
        add: [{ ...member("sudo"), administers: ["deploy"] }],
        del: [{ ...member(), administers: ["deploy"] }],
        ...powerful("carol"),
      },
    },
  ],
  [
    "vipw -g",
    { "/etc/group": { changes: ["ann joined sudo"], add: [{ user: "ann", groups: ["sudo"] }], ...powerful("ann") } },
    "sed -i s/^sudo:x:27:.*/sudo:x:27:carol,ann/",
  ],
  [
    "usermod -g sudo carol",
    {
      "/etc/passwd": {
        changes: ["carol's gid changed from 2000 to 27"],
        add: [{ ...PASSWD, gid: 27 }],
        del: [PASSWD],
        ...powerful("carol"),
      },
    },
  ],
  [
    "usermod -g deploy carol",
    {
      "/etc/passwd": {
        changes: ["carol's gid changed from 27 to 2000"],
        add: [PASSWD],
        del: [{ ...PASSWD, gid: 27 }],
      },
    },
  ],
  [
    "usermod -s /usr/sbin/nologin carol",
    {
      "/etc/passwd": {
        changes: ["carol's shell changed from /bin/bash to /usr/sbin/nologin"],
        add: [{ ...PASSWD, shell: "/usr/sbin/nologin" }],
        del: [PASSWD],
      },
    },
  ],
  [
    "usermod -s /bin/bash carol",
    {
      "/etc/passwd": {
        changes: ["carol's shell changed from /usr/sbin/nologin to /bin/bash"],
        add: [PASSWD],
        del: [{ ...PASSWD, shell: "/usr/sbin/nologin" }],
        notes: ['user "carol" has a login shell now'],
      },
    },
  ],
  [
    "vipw",
    {
      "/etc/passwd": {
        changes: ["carol's full name changed from Carol to Caroline"],
        add: [{ ...PASSWD, gecos: "Caroline" }],
        del: [PASSWD],
      },
    },
    "sed -i s/Carol:/Caroline:/",
  ],
  [
    "usermod -o -u 0 carol",
    {
      "/etc/passwd": {
        changes: ["carol's uid changed from 1001 to 0"],
        add: [{ ...PASSWD, gecos: "Caroline", uid: 0 }],
        del: [{ ...PASSWD, gecos: "Caroline" }],
        notes: ['uid 0 is shared by "root", "carol"'],
      },
    },
  ],
];

const rows = commands.map(([command, parts, editor = NO_EDITOR]) => [command, parts, editor] as const);
test.each(rows)("%s", (command, parts, editor) => expectLines(command, parts, editor));

/** What ssh-copy-id(1) runs on the other side, with the key on its input. */
const SSH_COPY_ID =
  'cd && umask 077 && mkdir -p .ssh && { [ -z "$(tail -1c .ssh/authorized_keys 2>/dev/null)" ] || ' +
  "echo >> .ssh/authorized_keys; } && cat >> .ssh/authorized_keys";

test.each([
  ["carol", "/home/carol", undefined],
  ["root", "/root", "# ends without a newline"],
])("ssh-copy-id to %s", async (user, home, before) => {
  if (before !== undefined) etc.write(`${home}/.ssh/authorized_keys`, before, 0o600);
  await bp.rest();
  const copy = `export HOME=${home}; cat ${etc.at("key.pub")} | sh -c '${SSH_COPY_ID}'`;
  await etc.tool(["sh", "-ec", copy], undefined, ["etc", "home", "root"]);
  const lines = await bp.rest();
  tell("ssh-copy-id", lines);
  // the file is made, a newline and the key are written: more than one line, if bpfink looks between them
  const parts = lines.map((line) => partOf(line));
  expect(parts.flatMap(({ changes = [] }) => changes)).toEqual([`key ${dave} (ED25519, dave@laptop) added to ${user}`]);
  expect(parts.at(-1)).toMatchObject({
    add: [{ user, fingerprint: dave, type: "ED25519", bits: 256, comment: "dave@laptop" }],
    del: [],
  });
  for (const { file } of lines) expect(file).toBe(`${home}/.ssh/authorized_keys`);
});

/** What one user has in the `users` of each line that comes of a command; of keys the last. */
async function userAfter(command: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  await etc.tool(["sh", "-ec", command], undefined, ["etc", "home", "root"]);
  const lines = await bp.rest();
  return Object.fromEntries(
    lines.map(({ file, users }) => [file, (users as { user: string }[]).findLast(({ user }) => user === name)]),
  );
}

test("users have what the other files say of them, and that is no change", async () => {
  const passwd = expect.stringMatching(/^sha512:[0-9a-f]{8}$/) as unknown as string;
  const account = { uid: 0, gid: 2000, home: "/home/carol", shell: "/bin/bash" };
  const password = { passwd, mustChange: true, expires: "2030-01-02" };
  const joined = { groups: ["sudo", "deploy"], administers: ["deploy"] };
  const carol = { user: "carol", ...account, ...password, ...joined, keys: [dave] };
  expect(await userAfter("gpasswd -a carol deploy", "carol")).toEqual({ "/etc/group": carol, "/etc/gshadow": carol });
  expect(await userAfter("usermod -c Car carol", "carol")).toEqual({ "/etc/passwd": { ...carol, gecos: "Car" } });
  const ages = { minDays: 0, maxDays: 90, warnDays: 9 };
  expect(await userAfter("chage -W 9 carol", "carol")).toEqual({ "/etc/shadow": { ...carol, ...ages } });
  const { keys: _, ...key } = { ...carol, fingerprint: dave, type: "ED25519", bits: 256, comment: "again" };
  const copy = `sed s/dave@laptop/again/ ${etc.at("key.pub")} > /home/carol/.ssh/authorized_keys`;
  expect(await userAfter(copy, "carol")).toEqual({ "/home/carol/.ssh/authorized_keys": key });
});

test("userdel takes the keys along, and nobody watches them any more", async () => {
  const administers = ["deploy"];
  const { "/home/carol/.ssh/authorized_keys": keys, ...lines } = await linesOf("userdel -f -r carol");
  // said as long as /etc/passwd was not looked at yet: with the entry its keys leave the watch
  if (keys !== undefined) expect(keys).toMatchObject({ add: [], del: [{ user: "carol", fingerprint: dave }] });
  expectParts(lines, {
    "/etc/passwd": { changes: ["carol removed"], del: [{ ...PASSWD, gecos: "Car", uid: 0 }] },
    "/etc/shadow": {
      changes: ["carol removed"],
      del: [shadow("sha512:A", { ...EXPIRED, maxDays: 90, warnDays: 9, expires: "2030-01-02" })],
    },
    "/etc/group": { changes: ["carol left sudo", "carol left deploy"], del: [member("sudo", "deploy")] },
    "/etc/gshadow": {
      changes: ["carol left sudo", "carol left deploy", "carol is no administrator of deploy any more"],
      del: [{ ...member("sudo", "deploy"), administers }],
    },
  });
});

test("visudo", async () => {
  const line = "carol ALL=(root) NOPASSWD: /usr/bin/apt";
  const editor = etc.write("editor", `#!/bin/sh\necho '${line}' >> "$2"\n`, 0o755); // called as: editor -- FILE
  const carol = { users: ["carol"], hosts: ["ALL"], runAs: ["root"], commands: ["/usr/bin/apt"], noPassword: true };
  expect(await linesOf("visudo -q", editor)).toEqual({
    "/etc/sudoers": {
      changes: ["carol may run /usr/bin/apt as root without a password"],
      add: { Content: [line], rules: [carol] },
      del: { Content: [], rules: [] },
    },
  } as unknown as Parts);
});

test("README's table is what these programs' lines say", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const [, table = ""] = /\| command \| file \|[^\n]*\n\| --- [^\n]*\n((?:\|[^\n]*\n)*)/.exec(readme) ?? [];
  let program = "";
  const claimed = table
    .trim()
    .split("\n")
    .flatMap((row) => {
      const [, command = "", files = "", words = ""] = row.split("|").map((cell) => cell.trim());
      program = /`(\S+?)[ `]/.exec(command)?.[1] ?? program;
      // the fingerprints after a colon are the recorded run's
      const phrases = words
        .replace(/: `.*$/, "")
        .replace(/SHA256:[^ ]+/, "SHA256:…")
        .split("; ");
      return files
        .split(", ")
        .flatMap((file) => phrases.map((phrase) => `${program} ${basename(file)}: ${phrase.replace(/^\*|\*$/g, "")}`));
    });
  expect(claimed.length).toBeGreaterThan(20);
  expect(claimed.filter((claim) => !told.has(claim))).toEqual([]);
});
