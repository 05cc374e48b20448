// What is left out costs nothing, however much of it is born; what is not left out is told, whatever names it has had.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { Bpfink } from "./bpfink.ts";
import { TemporaryDirectory } from "./files.ts";
import { FORMS, inVm, run, SLOW } from "./process.ts";
import { settlesAt, watched } from "./watched.ts";

/** Files that are born left out. The ring has room for some 30 events. */
const FILES = inVm ? 5000 : 20_000;
const IN_ONE = 500;
/** With fanotify, who acts before a new file is marked is not known. */
const knowsAll = inVm;

describe.each(FORMS)("%s", (backend) => {
  const directory = new TemporaryDirectory();
  const { path } = directory;
  const at = (name: string) => directory.at(name);
  const config = () => directory.write("bpfink.toml", `exclude = ["${path}/tree/**/cache"]\n`);
  let bp: Bpfink;

  beforeAll(async () => {
    directory.write("tree/a/f", "one\n");
    directory.directory("tree/l");
    symlinkSync("to/cache/conf", at("tree/l/link"));
    const exclude = ["tree/a/build", "tree/**/*.swp", "tree/gone/**", "tree/{x,y}.log"];
    bp = await Bpfink.start({
      watch: [at("tree")],
      args: [
        ...["--config", config(), "--backend", backend, "--ring-size", "64K"],
        ...exclude.flatMap((name) => ["--exclude", at(name)]),
      ],
    });
  }, SLOW);
  beforeEach(() => bp.forget());
  afterAll(async () => {
    await bp[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  /** Files in directories of `IN_ONE`. */
  function fill(name: string, files: number): void {
    for (let i = 0; i < files; i++) {
      if (i % IN_ONE === 0) mkdirSync(at(`${name}/${i}`), { recursive: true });
      writeFileSync(at(`${name}/${i - (i % IN_ONE)}/${i}`), "x\n");
    }
  }

  test(
    "trees and names that are left out are born and go while nobody reads events: none is lost, nothing is told",
    async () => {
      const before = watched(bp.pid);
      {
        using _ = await bp.pause();
        fill("tree/cache", FILES / 2); // below a directory that bpfink knows,
        fill("tree/new/deep/cache", FILES / 2); // and below some that it cannot know yet
        fill("tree/a/build", 100);
        for (let i = 0; i < 100; i++) writeFileSync(at(`tree/a/${i}.swp`), "x\n");
        for (let i = 0; i < 100; i++) unlinkSync(at(`tree/a/${i}.swp`));
        if (knowsAll) expect(watched(bp.pid)).toBe(before + 2); // new, deep
      }
      const lines = await bp.rest();
      expect(lines.map(({ action, file }) => [action, file]).sort()).toEqual([
        ["created", at("tree/new")],
        ["created", at("tree/new/deep")],
      ]);
      rmSync(at("tree/new"), { recursive: true });
      for (const name of ["cache", "a/build"]) rmSync(at(`tree/${name}`), { recursive: true });
      const gone = await bp.rest();
      expect(gone.map(({ action, file }) => [action, file]).sort()).toEqual([
        ["deleted", at("tree/new")],
        ["deleted", at("tree/new/deep")],
      ]);
      expect(await settlesAt(bp.pid, before)).toBe(before);
    },
    SLOW,
  );

  test("a file that is moved from there is told from then on, with all who wrote to it", async () => {
    directory.write("tree/cache/f", "one\n");
    await run("rm", "-f", at("tree/moved"));
    let writer: { pid: number };
    {
      using _ = await bp.pause();
      renameSync(at("tree/cache/f"), at("tree/moved"));
      writer = await run("dd", "status=none", "if=/dev/zero", "bs=4", "count=1", `of=${at("tree/moved")}`);
    }
    const line = await bp.only(at("tree/moved"));
    expect(line).toMatchObject({ action: "created", generic: { next: sha256("\0\0\0\0") } });
    if (knowsAll) expect(line.actors?.map(({ process }) => process.pid)).toEqual([process.pid, writer.pid]);
  });

  test("and what is born in a directory that is moved from there", async () => {
    directory.write("tree/cache/d/f", "one\n");
    let writer: { pid: number };
    {
      using _ = await bp.pause();
      renameSync(at("tree/cache/d"), at("tree/d"));
      writer = await run("touch", at("tree/d/g"));
    }
    const lines = await bp.rest();
    expect(lines.map(({ action, file }) => [action, file]).sort()).toEqual(
      ["d", "d/f", "d/g"].map((name) => ["created", at(`tree/${name}`)]),
    );
    if (knowsAll) expect(lines.find(({ file }) => file === at("tree/d/g"))?.process?.pid).toBe(writer.pid);
  });

  test("a second name that is not left out counts, whichever is written to", async () => {
    let writer: { pid: number };
    {
      using _ = await bp.pause();
      writeFileSync(at("tree/a/hard.swp"), "one\n");
      linkSync(at("tree/a/hard.swp"), at("tree/a/hard"));
      writer = await run("dd", "status=none", "if=/dev/zero", "bs=4", "count=1", `of=${at("tree/a/hard.swp")}`);
    }
    const line = await bp.only(at("tree/a/hard"));
    expect(line).toMatchObject({ action: "created", generic: { next: sha256("\0\0\0\0") } });
    if (knowsAll) expect(line.actors?.map(({ process }) => process.pid)).toEqual([process.pid, writer.pid]);
    await run("ln", at("tree/a/f"), at("tree/a/f.swp"));
    await bp.noMoreLines();
    appendFileSync(at("tree/a/f.swp"), "two\n");
    expect(await bp.only(at("tree/a/f"))).toMatchObject({ action: "modified", process: { pid: process.pid } });
    unlinkSync(at("tree/a/f.swp"));
    await bp.noMoreLines();
  });

  test("a name that is left out in one place is told in another, and a tree that is moved to such a name goes", async () => {
    directory.write("tree/b/build/f", "one\n");
    directory.write("tree/b/x.log", "one\n");
    directory.write("tree/x.log", "one\n");
    const lines = await bp.rest();
    const names = ["b", "b/build", "b/build/f", "b/x.log"];
    expect(lines.map(({ file }) => file).sort()).toEqual(names.map((name) => at(`tree/${name}`)));
    renameSync(at("tree/b/build"), at("tree/a/build"));
    const gone = await bp.rest();
    expect(gone.map(({ file, previous }) => previous ?? file).sort()).toEqual(
      ["b/build", "b/build/f"].map((name) => at(`tree/${name}`)),
    );
    fill("tree/a/build", 10);
    await bp.noMoreLines();
  });

  test("a link that leads through such a name is told of what is born behind it, and by whom", async () => {
    let maker: { pid: number };
    {
      using _ = await bp.pause();
      maker = await run("sh", "-c", 'mkdir -p "$1/cache" && echo one > "$1/cache/conf"', "sh", at("tree/l/to"));
    }
    const lines = await bp.rest();
    expect(lines.map(({ action, file }) => [action, file]).sort()).toEqual([
      ["created", at("tree/l/link")],
      ["created", at("tree/l/to")],
    ]);
    const line = lines.find(({ file }) => file === at("tree/l/link"));
    expect(line).toMatchObject({ generic: { next: sha256("one\n") } });
    if (knowsAll) expect(line?.process?.pid).toBe(maker.pid);
    directory.write("tree/l/to/cache/other", "one\n");
    await bp.noMoreLines();
  });

  test("what another configuration leaves out", async () => {
    rmSync(at("tree/cache"), { recursive: true });
    directory.write("bpfink.toml", `exclude = ["${path}/tree/**/target"]\n`);
    bp.kill("SIGHUP");
    await bp.line({ action: "reloaded" });
    await bp.rest();
    {
      using _ = await bp.pause();
      fill("tree/target", 100);
      fill("tree/new/target", 100);
      directory.write("tree/cache/f", "one\n");
    }
    const lines = await bp.rest();
    expect(lines.map(({ action, file }) => [action, file]).sort()).toEqual(
      ["cache", "cache/f", "new"].map((name) => ["created", at(`tree/${name}`)]),
    );
    if (knowsAll) for (const line of lines) expect(line.process?.pid).toBe(process.pid);
  });
});

const sha256 = (content: string) => new Bun.CryptoHasher("sha256").update(content).digest("hex");
