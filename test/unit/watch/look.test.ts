import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileLook, Look } from "../../../src/consumers/consumer.ts";
import { LongReads } from "../../../src/watch/long-reads.ts";
import type { Target } from "../../../src/watch/target.ts";
import * as watch from "../../../src/watch/look.ts";

const work = realpathSync(mkdtempSync(join(tmpdir(), "bpfink-look-")));
afterAll(() => rmSync(work, { recursive: true }));

/** That of consumers that show content. */
const CONTENT_LIMIT = 1 << 20;

const lookAt = (path: string, contentLimit = CONTENT_LIMIT) => watch.lookAt(path, contentLimit);
const at = (name: string) => join(work, name);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** How many descriptors of this process are open on a path. */
function openOn(path: string): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the one that read the directory
    }
  });
  return targets.filter((target) => target === path).length;
}

function metadata(path: string) {
  const { mode, uid, gid, ino, size } = lstatSync(path);
  return { mode: mode & 0o7777, uid, gid, inode: String(ino), size };
}

function fileLook(path: string, bytes: Uint8Array, content: Uint8Array | undefined): FileLook {
  return { type: "file", ...metadata(path), size: bytes.length, digest: sha256(bytes), content };
}

function mkfifo(path: string): void {
  const { status } = spawnSync("mkfifo", [path]);
  if (status !== 0) throw new Error(`mkfifo ${path} failed`);
}

test("a file is its metadata, its digest and its content", () => {
  const path = at("file");
  const bytes = Buffer.from([0, 0xff, 0x0a, 0x80]);
  writeFileSync(path, bytes);
  chownSync(path, 1234, 5678);
  chmodSync(path, 0o4751); // chown(2) takes the set-user-ID bit away
  const look = lookAt(path);
  expect(look).toEqual({
    type: "file",
    mode: 0o4751,
    uid: 1234,
    gid: 5678,
    inode: String(lstatSync(path).ino),
    size: 4,
    digest: sha256(bytes),
    content: bytes,
  });
});

test("an empty file has content, too", () => {
  writeFileSync(at("empty"), "");
  expect(lookAt(at("empty"))).toEqual(fileLook(at("empty"), Buffer.alloc(0), Buffer.alloc(0)));
});

describe("content is kept", () => {
  const bytes = Buffer.from(Uint8Array.from({ length: 3 * CONTENT_LIMIT + 7 }, (_, i) => (i * i) % 251));

  test.each([CONTENT_LIMIT - 1, CONTENT_LIMIT])("of %d bytes", (size) => {
    const path = at(`kept${size}`);
    const part = bytes.subarray(0, size);
    writeFileSync(path, part);
    const { content, ...rest } = lookAt(path) as FileLook;
    const { content: _, ...expected } = fileLook(path, part, undefined);
    expect(rest as Look).toEqual(expected as Look);
    expect(Buffer.compare(content!, part)).toBe(0);
  });

  test.each([CONTENT_LIMIT + 1, bytes.length])("but not of %d bytes, whose digest is right", (size) => {
    const path = at(`hashed${size}`);
    const part = bytes.subarray(0, size);
    writeFileSync(path, part);
    expect(lookAt(path)).toEqual(fileLook(path, part, undefined));
  });

  test("by nobody who wants none", () => {
    const path = at("unwanted");
    writeFileSync(path, "x");
    expect(lookAt(path, 0)).toEqual(fileLook(path, Buffer.from("x"), undefined));
  });

  test("and not of a hole", () => {
    writeFileSync(at("hole"), "");
    truncateSync(at("hole"), 8 << 20);
    expect(lookAt(at("hole"))).toEqual(fileLook(at("hole"), Buffer.alloc(8 << 20), undefined));
  });
});

test("size is what was read, where stat knows none", () => {
  const bytes = readFileSync("/proc/version");
  expect(lstatSync("/proc/version").size).toBe(0);
  expect(lookAt("/proc/version")).toEqual(fileLook("/proc/version", bytes, bytes));
});

test("two names of one file look the same", () => {
  writeFileSync(at("first"), "x");
  linkSync(at("first"), at("second"));
  expect(lookAt(at("second"))).toEqual(lookAt(at("first")));
});

describe("what has no content is its metadata:", () => {
  test("a directory", () => {
    mkdirSync(at("directory"), 0o700);
    chmodSync(at("directory"), 0o1770);
    expect(lookAt(at("directory"))).toEqual({ type: "directory", ...metadata(at("directory")) });
    expect(metadata(at("directory")).mode).toBe(0o1770);
  });

  test("a FIFO, which is not waited for", () => {
    mkfifo(at("fifo"));
    expect(lookAt(at("fifo"))).toEqual({ type: "fifo", ...metadata(at("fifo")) });
  });

  test("a socket", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = createServer().listen(at("socket"), resolve);
    await promise;
    expect(lookAt(at("socket"))).toEqual({ type: "socket", ...metadata(at("socket")) });
    server.close();
  });

  test("a device", () => {
    expect(lookAt("/dev/zero")).toEqual({ type: "character device", ...metadata("/dev/zero") });
  });
});

describe("missing is", () => {
  test("what is not there", () => {
    expect(lookAt(at("none"))).toEqual({ type: "missing" });
    expect(lookAt(at("none/below"))).toEqual({ type: "missing" });
  });

  test("what is below a file", () => {
    writeFileSync(at("plain"), "");
    expect(lookAt(at("plain/below"))).toEqual({ type: "missing" });
  });

  test("a symbolic link, even to a file: it came after the path was walked", () => {
    writeFileSync(at("goal"), "");
    symlinkSync(at("goal"), at("link"));
    symlinkSync(at("loop"), at("loop"));
    expect([lookAt(at("link")), lookAt(at("loop"))]).toEqual([{ type: "missing" }, { type: "missing" }]);
  });
});

describe("what cannot be read is thrown:", () => {
  test("a file that gives errors", () => {
    const path = `/proc/${process.pid}/mem`;
    expect(() => lookAt(path)).toThrow("EIO");
    expect(openOn(path)).toBe(0);
  });

  test("a file that is not ours to read", () => {
    const path = at("secret");
    writeFileSync(path, "x", { mode: 0o600 });
    chmodSync(work, 0o755);
    process.seteuid!(65534);
    try {
      expect(() => lookAt(path)).toThrow("EACCES");
    } finally {
      process.seteuid!(0);
    }
    expect(lookAt(path).type).toBe("file");
  });
});

test("descriptors are closed", () => {
  const path = at("closed");
  writeFileSync(path, "x");
  const fd = openSync(path, "r");
  expect(openOn(path)).toBe(1);
  closeSync(fd);
  expect(lookAt(path).type).toBe("file");
  expect(openOn(path)).toBe(0);
});

describe("while others are at work", () => {
  /** Looks many times at a path that a process changes all the time, until it has seen it change; every look once. */
  async function looks(path: string, script: string, least = 2000): Promise<Look[]> {
    const seen = new Map<string, Look>();
    const child = Bun.spawn([process.execPath, "-e", `const fs = require("node:fs");\n${script}`], {
      env: { ...process.env, FILE: path },
      stdout: "pipe",
    });
    const reader = child.stdout.getReader();
    try {
      expect((await reader.read()).done).toBe(false); // it is at work
      for (let i = 0; i < least || seen.size < 2; i++) {
        const look = lookAt(path);
        seen.set(look.type === "file" ? `${look.size} ${look.digest}` : look.type, look);
      }
    } finally {
      child.kill();
      await child.exited;
    }
    return [...seen.values()];
  }

  test("a file that comes and goes is there or missing, and nothing else", async () => {
    const script = `
      console.log("ready");
      for (;;) { fs.writeFileSync(process.env.FILE + "+", "whole"); fs.renameSync(process.env.FILE + "+", process.env.FILE); fs.unlinkSync(process.env.FILE); }`;
    for (const look of await looks(at("flicker"), script)) {
      if (look.type !== "missing")
        expect(look).toMatchObject({ type: "file", size: 5, digest: sha256(Buffer.from("whole")) });
    }
  });

  test("a name that is a file, a FIFO and a link by turns holds nothing up, and the link is not followed", async () => {
    mkfifo(at("a fifo"));
    writeFileSync(at("a file"), "text");
    writeFileSync(at("a goal"), "goal");
    const script = `
      const file = process.env.FILE;
      const put = (make) => { make(file + "+"); fs.renameSync(file + "+", file); };
      put((path) => fs.linkSync(${JSON.stringify(at("a fifo"))}, path));
      console.log("ready");
      for (;;) {
        for (let i = 0; i < 10; i++) {
          put((path) => fs.linkSync(${JSON.stringify(at("a file"))}, path));
          put((path) => fs.symlinkSync(${JSON.stringify(at("a goal"))}, path));
        }
        put((path) => fs.linkSync(${JSON.stringify(at("a fifo"))}, path));
      }`;
    for (const look of await looks(at("chameleon"), script, 20_000)) {
      expect(["file", "fifo", "missing"]).toContain(look.type);
      if (look.type === "file") expect(look.digest).toBe(sha256(Buffer.from("text")));
    }
  });

  test("a digest is that of the content, and the size that of both, however the file grows and shrinks", async () => {
    const script = `
      const fd = fs.openSync(process.env.FILE, "a");
      console.log("ready");
      for (let i = 0; ; i++) { fs.writeSync(fd, Buffer.alloc(1 + i % 5000, 65 + i % 26)); if (i % 7 === 0) fs.ftruncateSync(fd, 0); }`;
    for (const look of await looks(at("growing"), script)) {
      if (look.type !== "file" || look.content === undefined) throw new Error(`it is a ${look.type}`);
      expect([look.size, look.digest]).toEqual([look.content.length, sha256(look.content)]);
    }
  });
});

test("a file that changes while it is read by turns is read from its beginning again: one version, not half of two", async () => {
  const size = 6 << 20;
  const path = at("torn");
  writeFileSync(path, "a".repeat(size));
  const done = Promise.withResolvers<Look>();
  let turns = 0;
  const reads = new LongReads({
    atOnce: 1 << 20,
    done: (_, __, look) => done.resolve(look),
    failed: (_, error) => done.reject(error),
  });
  const purpose = { path, contentLimit: 8 << 20, sightings: [], origin: "startup", baseline: true } as const;
  expect(reads.look({} as Target, purpose, true)).toBeUndefined();
  const tick = () =>
    setImmediate(() => {
      // the file is opened in the first turn, and its first 4 MiB are read in the second
      if (++turns === 2) writeFileSync(path, "b".repeat(size));
      else tick();
    });
  tick();
  const look = await done.promise;
  expect(look.type === "file" && Buffer.from(look.content!).equals(Buffer.alloc(size, "b"))).toBe(true);
});
