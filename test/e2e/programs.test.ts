// One save is one line, whatever way a program has of saving: the real programs, each on a file of its own.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, closeSync, mkdirSync, openSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { EACH_BACKEND, end, inVm, run, SLOW, succeeded } from "./process.ts";

/** They save as others do, and are not in the virtual machines. */
const ONLY_HERE = ["emacs", "ed", "patch"];

const directory = new TemporaryDirectory();
const at = (name: string) => directory.at(name);
const TEXT = "one\ntwo\nthree\n";
let bp: Bpfink;

/** Each replaces "two" by "2". */
const programs: [name: string, save: (file: string) => Promise<unknown>][] = [
  ["vim", (file) => run("vim.tiny", "-u", "NONE", "-es", "-c", "%s/two/2/", "-c", "wq", file)],
  [
    "vim that renames the old version away",
    (file) => run("vim.tiny", "-u", "NONE", "-es", "-c", "set bk bkc=no wb", "-c", "%s/two/2/", "-c", "wq", file),
  ],
  [
    "emacs",
    (file) => run("emacs", "-Q", "--batch", file, "--eval", '(progn (replace-string "two" "2") (save-buffer))'),
  ],
  ["ed", (file) => run("sh", "-c", 'printf "2s/two/2/\\nw\\nq\\n" | ed -s "$1"', "sh", file)],
  [
    // down, cut the line, type another, write, leave; nano drops what was typed before it was ready
    "nano",
    (file) =>
      run(
        "sh",
        "-c",
        '{ sleep $2; printf "\\016\\0132\\r\\017\\r"; sleep $2; printf "\\030"; } | TERM=xterm script -qec "nano -I $1" /dev/null',
        "sh",
        file,
        inVm ? "5" : "0.5",
      ),
  ],
  ["sed -i", (file) => run("sed", "-i", "s/two/2/", file)],
  ["perl -i", (file) => run("perl", "-pi", "-e", "s/two/2/", file)],
  ["patch", (file) => run("sh", "-c", 'sed s/two/2/ "$1" | diff -u "$1" - | patch -s "$1"', "sh", file)],
  ["rsync", (file) => prepared(file, (copy) => run("rsync", "-I", copy, file))],
  ["rsync --inplace", (file) => prepared(file, (copy) => run("rsync", "-I", "--inplace", copy, file))],
  ["install", (file) => prepared(file, (copy) => run("install", "-m", "644", copy, file))],
  ["cp --remove-destination", (file) => prepared(file, (copy) => run("cp", "--remove-destination", copy, file))],
];
const fileOf = (name: string) => at(`files/${name.replace(/\W+/g, "-")}`);
const [checkedOut, packaged, slow, sudoers] = [at("clone/file"), at("root/etc/tool.conf"), at("slow"), at("sudoers")];

/** What a program copies over the file. */
async function prepared(file: string, copy: (from: string) => Promise<unknown>): Promise<void> {
  const from = directory.write(`copies/${file.slice(file.lastIndexOf("/") + 1)}`, TEXT.replace("two", "2"));
  await copy(from);
}

async function git(...args: string[]): Promise<void> {
  const env = { GIT_CONFIG_GLOBAL: "/dev/null", HOME: directory.path };
  const all = ["git", "-C", at("clone"), "-c", "user.name=x", "-c", "user.email=x@y", ...args];
  succeeded(all, await end(all, { env }));
}

async function install(version: string, text: string): Promise<void> {
  const control = `Package: tool\nVersion: ${version}\nArchitecture: all\nMaintainer: x <x@y>\nDescription: x\n`;
  directory.write(`deb-${version}/DEBIAN/control`, control);
  directory.write(`deb-${version}/etc/tool.conf`, text);
  const deb = at(`tool-${version}.deb`);
  await run("dpkg-deb", "--build", "--root-owner-group", at(`deb-${version}`), deb);
  await run("dpkg", `--root=${at("root")}`, "--force-script-chrootless", "--log=/dev/null", "-i", deb);
}

describe.skipIf(!EACH_BACKEND)("programs", () => {
  beforeAll(async () => {
    for (const [name] of programs) directory.write(`files/${name.replace(/\W+/g, "-")}`, TEXT);
    writeFileSync(slow, TEXT);
    for (const name of ["clone", "root/var/lib/dpkg/info", "root/var/lib/dpkg/updates"]) {
      mkdirSync(at(name), { recursive: true });
    }
    for (const name of ["status", "available"]) writeFileSync(at(`root/var/lib/dpkg/${name}`), "");
    await install("1", TEXT);
    directory.write("clone/file", TEXT);
    await git("init", "-q", "-b", "main");
    await git("add", "file");
    await git("commit", "-q", "-m", "1");
    await git("checkout", "-q", "-b", "other");
    directory.write("clone/file", TEXT.replace("two", "2"));
    await git("commit", "-q", "-a", "-m", "2");
    await git("checkout", "-q", "main");
    writeFileSync(sudoers, "root ALL=(ALL:ALL) ALL\n", { mode: 0o440 });
    bp = await Bpfink.start({
      watch: [...programs.map(([name]) => fileOf(name)), checkedOut, packaged, slow, sudoers],
    });
  }, SLOW);
  beforeEach(() => bp.forget());
  afterAll(async () => {
    await bp[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  const modified = { action: "modified", origin: "live", add: { Content: ["2"] }, del: { Content: ["two"] } };

  test.each(programs.filter(([name]) => !inVm || !ONLY_HERE.includes(name)))("%s", async (name, save) => {
    await save(fileOf(name));
    expect(await bp.only(fileOf(name))).toMatchObject(modified);
  });

  test.skipIf(inVm)(
    // it may take longer there than bpfink waits
    "what removes the file and takes its time to write it anew",
    async () => {
      for (let round = 0; round < 30; round++) {
        unlinkSync(slow);
        const fd = openSync(slow, "wx");
        await Bun.sleep(5); // bpfink sees that the old one is gone, and may look
        writeSync(fd, `${round}\n`);
        closeSync(fd);
        expect(await bp.only(slow)).toMatchObject({ action: "modified", add: { Content: [String(round)] } });
      }
    },
    SLOW,
  );

  test("git checkout", async () => {
    await git("checkout", "-q", "other");
    expect(await bp.only(checkedOut)).toMatchObject(modified);
  });

  test("dpkg, which unpacks beside the file and renames", async () => {
    await install("2", TEXT.replace("two", "2"));
    expect(await bp.only(packaged)).toMatchObject(modified);
  });

  test("visudo, which has a copy edited, checks it, and renames it", async () => {
    const added = "dave ALL=(root) NOPASSWD: /usr/bin/true";
    const editor = directory.write("editor", `#!/bin/sh\necho '${added}' >> "$2"\n`); // called as: editor -- FILE
    chmodSync(editor, 0o755);
    await run("env", `EDITOR=${editor}`, "visudo", "-q", "-f", sudoers);
    expect(await bp.only(sudoers)).toMatchObject({ action: "modified", add: { Content: [added] } });
  });
});
