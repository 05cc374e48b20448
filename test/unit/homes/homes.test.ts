import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { findKeyFiles } from "../../../src/homes/key-files.ts";
import { HomesSelection } from "../../../src/homes/selection.ts";
import { select } from "../../../src/watch/selection.ts";

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "bpfink-homes-")));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const PASSWD = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/usr/sbin/nologin\n";
const owners = () => Object.fromEntries(findKeyFiles(root)?.owners ?? []);

describe("findKeyFiles", () => {
  test("nothing is known without a passwd", () => expect(findKeyFiles(root)).toBeUndefined());

  test("sshd's default, for every user whatever the shell", () => {
    write("etc/passwd", PASSWD);
    expect(findKeyFiles(root)).toEqual({
      owners: new Map([
        ["/root/.ssh/authorized_keys", ["root"]],
        ["/root/.ssh/authorized_keys2", ["root"]],
        ["/home/ann/.ssh/authorized_keys", ["ann"]],
        ["/home/ann/.ssh/authorized_keys2", ["ann"]],
      ]),
      sources: ["/etc/passwd", "/etc/ssh/sshd_config"],
      notes: [],
    });
  });

  test("shared homes, NIS lines, and names that are not UTF-8", () => {
    write(
      "etc/passwd",
      Buffer.concat([
        Buffer.from("a:x:1:1::/:/b\nb:x:2:2::/:/b\na:x:1:1::/:/b\n+::::::\nbroken\nc:x:3:3::/srv/caf"),
        Buffer.of(0xe9),
        Buffer.from(":/b\n"),
      ]),
    );
    write("etc/ssh/sshd_config", "AuthorizedKeysFile k\n");
    expect(owners()).toEqual({ "/k": ["a", "b"], "/srv/caf\udce9/k": ["c"] });
  });

  test("Include, in order; the first value counts; Match is not followed, and said", () => {
    write("etc/passwd", PASSWD);
    write("etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nAuthorizedKeysFile late\n");
    write("etc/ssh/sshd_config.d/10-a.conf", "Match User ann\n\tAuthorizedKeysFile /m\n");
    write("etc/ssh/sshd_config.d/20-b.conf", "AuthorizedKeysFile /k/%u none\n");
    write("etc/ssh/sshd_config.d/30-c.conf", "AuthorizedKeysFile /never\n");
    write("etc/ssh/sshd_config.d/.hidden.conf", "AuthorizedKeysFile /hidden\n");
    expect(findKeyFiles(root)).toEqual({
      owners: new Map([
        ["/k/root", ["root"]],
        ["/k/ann", ["ann"]],
      ]),
      sources: ["/etc/passwd", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"],
      notes: ["/etc/ssh/sshd_config.d/10-a.conf line 2: AuthorizedKeysFile in a Match block is not followed"],
    });
  });

  test("files that include each other many times are read once", () => {
    write("etc/passwd", PASSWD);
    const all = "Include /etc/ssh/*.conf\n".repeat(20);
    for (const name of ["a", "b", "c"]) write(`etc/ssh/${name}.conf`, all);
    write("etc/ssh/sshd_config", `${all}AuthorizedKeysFile k\n`);
    const begin = performance.now();
    expect(Object.keys(owners())).toEqual(["/root/k", "/home/ann/k"]);
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  test("files that include themselves, links below the root, what is no file", () => {
    write("etc/passwd", PASSWD);
    write("srv/real", "Include /etc/ssh/*_config\nInclude /etc/ssh\nAuthorizedKeysFile k\n");
    mkdirSync(join(root, "etc/ssh"));
    symlinkSync("/srv/real", join(root, "etc/ssh/sshd_config"));
    expect(Object.keys(owners())).toEqual(["/root/k", "/home/ann/k"]);
  });
});

test("whatever passwd, sshd_config and what it includes hold, it comes to paths below the root, and never throws", () => {
  const word = fc.constantFrom(
    ...["Include", "AuthorizedKeysFile", "Match", "all", "none", "%h", "%u", "%", "*", "[", "]", "{", "..", "~/"],
    ...["/etc/ssh/*", "sshd_config.d/*.conf", "/", '"', "\\", "\0", " ", "\n", "#", ":", "root:x:0:0::/root:/b\n"],
  );
  const text = fc.array(fc.oneof(word, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 30 });
  fc.assert(
    fc.property(text, text, text, (passwd, config, included) => {
      write("etc/passwd", passwd.join(""));
      write("etc/ssh/sshd_config", `Include sshd_config.d/*.conf\n${config.join(" ")}`);
      write("etc/ssh/sshd_config.d/a.conf", included.join(" "));
      const found = findKeyFiles(root)!;
      const paths = [...found.owners.keys(), ...found.sources];
      expect(paths.filter((path) => !path.startsWith("/"))).toEqual([]);
      for (const note of found.notes) expect(note).toMatch(/^\/[^]* line [1-9]\d*: /);
    }),
    { numRuns: 300 },
  );
});

describe("HomesSelection", () => {
  const KEYS = "/root/.ssh/authorized_keys";
  const selection = (paths: readonly string[], exclude: readonly string[] = []) =>
    new HomesSelection(select(paths, exclude), exclude, () => findKeyFiles(root));

  test("follows passwd and sshd_config", () => {
    write("etc/passwd", PASSWD);
    const homes = selection(["/etc/motd"]);
    expect(homes.reports(KEYS) && homes.names(KEYS) && homes.includes(KEYS)).toBe(true);
    expect([homes.reports("/etc/passwd"), homes.decides("/etc/passwd"), homes.decides("/etc/motd")]).toEqual([
      false,
      true,
      false,
    ]);
    expect(homes.revise()).toEqual({ added: [], removed: [], changed: [] });
    write("etc/passwd", "root:x:0:0::/root:/b\nbob:x:1:1::/root:/b\n");
    write("etc/ssh/sshd_config", "Include /etc/ssh/more/*.conf\n");
    const { added, removed, changed } = homes.revise();
    expect(added).toEqual(["/etc/ssh/more"]);
    expect(removed).toEqual(["/home/ann/.ssh/authorized_keys", "/home/ann/.ssh/authorized_keys2"]);
    expect(changed).toEqual([KEYS, `${KEYS}2`]);
    expect(homes.owners(KEYS)).toEqual(["root", "bob"]);
    expect(homes.decides("/etc/ssh/more/a.conf")).toBe(true);
  });

  test("what sshd_config includes is reported where sshd_config is", () => {
    write("etc/passwd", PASSWD);
    write("etc/ssh/sshd_config", "Include extra.conf /srv/ssh/*.conf\n");
    const included = ["/etc/ssh/extra.conf", "/srv/ssh/a.conf"];
    const told = (homes: HomesSelection) =>
      [...included, "/srv/ssh", "/srv/ssh/a", "/etc/passwd"].filter((path) => homes.reports(path) && homes.names(path));
    expect(told(selection(["/etc/ssh/sshd_config"]))).toEqual(included);
    expect(told(selection(["/etc/motd"]))).toEqual([]);
  });

  test("what the user names or leaves out", () => {
    write("etc/passwd", PASSWD);
    const homes = selection([KEYS, "/home"], ["/home/ann/.ssh"]);
    const all = homes.roots;
    expect(all.filter((path) => path === KEYS)).toHaveLength(1);
    expect(all.filter((path) => path.startsWith("/home/ann"))).toEqual([]);
    write("etc/passwd", "bob:x:1:1::/home/bob:/b\n");
    expect(homes.revise().removed).toEqual([`${KEYS}2`]); // the other is the user's own
  });

  test("a passwd that comes later", () => {
    const homes = selection([]);
    expect([homes.roots, homes.decides("/etc/passwd")]).toEqual([["/etc/passwd"], true]);
    write("etc/passwd", PASSWD);
    expect(homes.revise().added).toContain(KEYS);
  });

  test("a passwd that is not there for a moment changes nothing", () => {
    write("etc/passwd", PASSWD);
    const homes = selection([]);
    rmSync(join(root, "etc/passwd"));
    expect(homes.revise()).toEqual({ added: [], removed: [], changed: [] });
    expect(homes.reports(KEYS)).toBe(true);
  });
});
