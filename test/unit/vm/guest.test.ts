import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpio, directory, executable, file } from "../../vm/cpio.ts";
import { partOfToken, streamPort } from "../../vm/ports.ts";
import { commandScript } from "../../vm/vm.ts";

test("the archive is laid out as the kernel's unpacker wants it", () => {
  const archive = cpio([directory("a"), file("a/b", "abc"), executable("c", new Uint8Array([1]))]);
  const names: [string, number, string][] = [];
  for (let at = 0; at < archive.length;) {
    const field = (index: number): number =>
      Number.parseInt(archive.subarray(at + 6 + index * 8, at + 14 + index * 8).toString("latin1"), 16);
    expect(archive.subarray(at, at + 6).toString("latin1")).toBe("070701");
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const body = Math.ceil((at + 110 + nameSize) / 4) * 4;
    const name = archive.subarray(at + 110, at + 109 + nameSize).toString();
    names.push([name, mode, archive.subarray(body, body + size).toString()]);
    at = Math.ceil((body + size) / 4) * 4;
  }
  expect(names).toEqual([
    ["a", 0o040755, ""],
    ["a/b", 0o100644, "abc"],
    ["c", 0o100755, "\u0001"],
    ["TRAILER!!!", 0, ""],
  ]);
});

test("a shell takes the command apart into the same words", async () => {
  const words = ["it's", "a b", "$HOME", "", "`x`", 'q"q', "new\nline"];
  const script = commandScript(["printf", "%s|", ...words, "end"], { WORD: "it's" }, "/");
  expect(await Bun.$`sh -c ${script}`.text()).toBe(`${words.join("|")}|end|`);
  expect(await Bun.$`sh -c ${commandScript(["sh", "-c", 'printf %s "$WORD"'], { WORD: "it's" }, "/")}`.text()).toBe(
    "it's",
  );
});

test("how much of the token has come", () => {
  const part = (bytes: string): number => partOfToken(Buffer.from(bytes), Buffer.from("aab"));
  expect(["", "x", "xa", "aa", "aaa", "xaab", "aabx"].map(part)).toEqual([0, 0, 1, 2, 2, 3, 0]);
});

test("a stream ends at its token, wherever the pieces are cut, and passes on nothing of it", async () => {
  const here = mkdtempSync(join(tmpdir(), "port-"));
  try {
    for (const size of [1, 2, 3, 5, 100]) {
      const pieces: string[] = [];
      using port = streamPort(`size-${size}`, here, "<end>", (chunk) => pieces.push(Buffer.from(chunk).toString()));
      const socket = await Bun.connect({ unix: port.socket, socket: { data() {} } });
      const text = "some < text <en more<end>";
      for (let at = 0; at < text.length; at += size) {
        socket.write(text.slice(at, at + size));
        socket.flush();
      }
      await port.complete;
      socket.end();
      expect(port.bytes().toString()).toBe("some < text <en more");
      expect(pieces.join("")).toBe("some < text <en more");
    }
  } finally {
    rmSync(here, { recursive: true });
  }
});
