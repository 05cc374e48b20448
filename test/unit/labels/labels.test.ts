import { describe, expect, test } from "bun:test";
import { conffile, sumOf } from "../../../src/labels/dpkg.ts";
import { expectedLabel } from "../../../src/labels/expected.ts";

const MD5 = "0123456789abcdef0123456789abcdef";
const OTHER = "f".repeat(32);

describe("md5sums", () => {
  const sums = `${MD5}  usr/bin/tool\n${OTHER}  usr/bin/tool2\n${MD5}  lib/x.so\n${OTHER}  odd  name\n`;

  test.each([
    ["/usr/bin/tool", MD5],
    ["/usr/bin/tool2", OTHER],
    ["/usr/bin/tool.dpkg-new", MD5],
    ["/bin/tool", MD5],
    ["/usr/lib/x.so", MD5],
    ["/odd  name", OTHER],
    ["/bin/tool/", undefined],
    ["/bin", undefined],
    ["/name", undefined],
    ["/usr/bin/too", undefined],
  ])("%p", (path, sum) => expect(sumOf(sums, path)).toBe(sum));

  test("no file at all", () => expect(sumOf("", "/usr/bin/tool")).toBeUndefined());
});

test("conffiles in dpkg's status", () => {
  const status = [
    "Package: a\nVersion: 1\nConffiles:\n /etc/a obsolete",
    `Package: b\nStatus: install ok installed\nVersion: 1:2-3\nConffiles:\n /etc/b ${MD5}\n /etc/c ${OTHER} obsolete\nDescription: b`,
    `Package: d\nVersion: 4\nConffiles:\n /etc/d newconffile`,
    "",
  ].join("\n\n");
  expect(conffile(status, "/etc/b")).toEqual({ name: "b", version: "1:2-3", digest: MD5, algorithm: "md5" });
  expect(conffile(status, "/etc/c")).toEqual({ name: "b", version: "1:2-3", digest: OTHER, algorithm: "md5" });
  for (const path of ["/etc/a", "/etc/d", "/etc", "/etc/bb", "b"]) expect(conffile(status, path)).toBeUndefined();
});

test("the expectation that was made last speaks, for the paths that it names", () => {
  const until = Date.parse("2026-11-01T10:00:00Z");
  const of = (reason: string, ...paths: string[]) => ({ reason, by: "ann", paths, begins: 0, until });
  const label = (path: string, ...expectations: ReturnType<typeof of>[]) => expectedLabel(path, expectations)?.reason;
  expect(expectedLabel("/a", [of("all")])).toEqual({ reason: "all", by: "ann", until: "2026-11-01T10:00:00.000Z" });
  expect(label("/srv/app/x/y", of("all"), of("app", "/srv/app"))).toBe("app");
  expect(label("/srv/application", of("all"), of("app", "/srv/app"))).toBe("all");
  expect(label("/etc/x.conf", of("conf", "/etc/*.conf"))).toBe("conf");
  expect(label("/etc/x", of("conf", "/etc/*.conf"))).toBeUndefined();
  expect(label("/etc/x")).toBeUndefined();
});
