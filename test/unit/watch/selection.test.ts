import { describe, expect, test } from "bun:test";
import { select } from "../../../src/watch/selection.ts";

/** What a selection says of paths: "reported", "on the way" or "left out". */
function verdicts(watch: readonly string[], exclude: readonly string[], paths: readonly string[]): string[] {
  const selection = select(watch, exclude);
  return paths.map((path) => {
    if (!selection.includes(path)) return "left out";
    return selection.reports(path) ? "reported" : "on the way";
  });
}

const rootsOf = (watch: readonly string[], exclude: readonly string[] = []) => select(watch, exclude).roots;

/** Holds a table of path to verdict against one selection. */
function check(watch: readonly string[], exclude: readonly string[], table: Readonly<Record<string, string>>): void {
  const paths = Object.keys(table);
  const said = verdicts(watch, exclude, paths);
  expect(Object.fromEntries(paths.map((path, i) => [path, said[i]!]))).toEqual(table);
}

test("plain paths are where watching begins, and so are the directories that globs start from", () => {
  expect(rootsOf(["/etc/passwd", "/etc/ssh", "/etc/*.conf", "/home/*/.ssh/*", "/*.conf"])).toEqual([
    "/etc/passwd",
    "/etc/ssh",
    "/etc",
    "/home",
    "/",
  ]);
});

test("one path is one beginning", () => {
  expect(rootsOf(["/etc", "/etc/*", "/etc/a*/**", "/etc"])).toEqual(["/etc"]);
});

test("nothing is watched when nothing is asked for", () => {
  expect(rootsOf([])).toEqual([]);
  check([], [], { "/etc": "left out", "/": "left out" });
});

test("a plain path is watched with all below it, and nothing beside it", () => {
  check(["/etc/ssh"], [], {
    "/etc/ssh": "reported",
    "/etc/ssh/sshd_config": "reported",
    "/etc/ssh/.d/deep/x": "reported",
    "/etc": "left out",
    "/etc/ssh2": "left out",
    "/etc/ssh.d/x": "left out",
  });
  check(["/"], [], { "/": "reported", "/a": "reported", "/a/.b/c": "reported" });
});

describe("a glob", () => {
  test("matches within one directory", () => {
    check(["/etc/*.conf"], [], {
      "/etc/a.conf": "reported",
      "/etc/.hidden.conf": "reported",
      "/etc/ä\n.conf": "reported",
      "/etc/a.conf~": "left out",
      "/etc/d": "left out",
      "/etc/d/a.conf": "left out",
    });
  });

  test("at the root of the file system", () => {
    check(["/*.conf"], [], {
      "/a.conf": "reported",
      "/.conf": "reported",
      "/etc": "left out",
      "/etc/a.conf": "left out",
    });
  });

  test("leads through directories that are not reported themselves", () => {
    check(["/home/*/.ssh/authorized_keys*"], [], {
      "/home/ann": "on the way",
      "/home/ann/.ssh": "on the way",
      "/home/ann/.ssh/authorized_keys": "reported",
      "/home/ann/.ssh/authorized_keys2": "reported",
      "/home/ann/.ssh/id_rsa": "left out",
      "/home/ann/mail": "left out",
      "/home/ann/mail/.ssh": "left out",
    });
  });

  test("with ** goes all the way down, through dotted names, too", () => {
    check(["/srv/**/*.php"], [], {
      "/srv/x.php": "reported",
      "/srv/a/.b/c/x.php": "reported",
      "/srv/a": "on the way",
      "/srv/a/.b": "on the way",
      "/srvx/x.php": "left out",
    });
  });

  test("that ends in ** reports everything below, and not its beginning", () => {
    check(["/srv/**"], [], { "/srv/a": "reported", "/srv/.a/b": "reported" });
    expect(select(["/srv/**"], []).reports("/srv")).toBe(false);
    check(["/**"], [], { "/a": "reported", "/a/b/.c": "reported" });
  });

  test("with ** further down", () => {
    check(["/home/*/.config/**/*.service"], [], {
      "/home/ann": "on the way",
      "/home/ann/.config": "on the way",
      "/home/ann/.config/systemd/user": "on the way",
      "/home/ann/.config/systemd/user/x.service": "reported",
      "/home/ann/mail": "left out",
      "/home/ann/mail/x.service": "left out",
    });
  });

  test("with braces, classes and question marks", () => {
    check(["/etc/{passwd,{,g}shadow}", "/etc/rc[0-6].d/S??*", "/etc/[!a-y]"], [], {
      "/etc/passwd": "reported",
      "/etc/shadow": "reported",
      "/etc/gshadow": "reported",
      "/etc/group": "left out",
      "/etc/rc3.d": "on the way",
      "/etc/rc3.d/S01x": "reported",
      "/etc/rc3.d/K01x": "left out",
      "/etc/rc7.d": "left out",
      "/etc/z": "reported",
      "/etc/b": "left out",
    });
  });

  test("with braces around a directory", () => {
    check(["/{etc,srv}/*.conf"], [], {
      "/etc": "on the way",
      "/srv": "on the way",
      "/usr": "left out",
      "/srv/a.conf": "reported",
    });
  });

  // Each choice is a pattern, or here a plain path, of its own.
  test("with braces around a slash leads to all of its files", () => {
    check(["/etc/{ssh/sshd_config,passwd}"], [], {
      "/etc/passwd": "reported",
      "/etc/ssh": "left out",
      "/etc/ssh/sshd_config": "reported",
      "/etc/ssh/moduli": "left out",
    });
  });

  // Taken for a group, it becomes "/etc/a\\b\\", which nobody asked for.
  test("with a backslash before a brace means the brace", () => {
    check(["/etc/a\\{b\\}"], [], { "/etc/a{b}": "reported" });
  });

  test("with a backslash means the character itself", () => {
    check(["/etc/a\\*\\[1\\]"], [], { "/etc/a*[1]": "reported", "/etc/ab[1]": "left out" });
  });
});

test("named is what the user wrote, and what a glob of the user's matches, but not what lies below or above it", () => {
  const selection = select(["/etc/ssh", "/home/*/.ssh"], []);
  const paths = ["/etc/ssh", "/etc/ssh/x", "/etc", "/home", "/home/ann", "/home/ann/.ssh", "/home/ann/.ssh/id"];
  expect(paths.filter((path) => selection.names(path))).toEqual(["/etc/ssh", "/home/ann/.ssh"]);
});

describe("what is excluded", () => {
  test("is left out with all below it", () => {
    check(["/etc", "/srv/**"], ["/etc/ssl", "/**/.git", "/etc/*.d"], {
      "/etc/passwd": "reported",
      "/etc/ssl": "left out",
      "/etc/ssl/certs/x.pem": "left out",
      "/etc/ssl2": "reported",
      "/etc/cron.d": "left out",
      "/etc/cron.d/job": "left out",
      "/etc/a/cron.d": "reported",
      "/srv/www/.git": "left out",
      "/srv/www/.git/objects/ab": "left out",
      "/srv/www/.gitignore": "reported",
    });
  });

  test("is stronger than a plain path that is asked for below it", () => {
    expect(rootsOf(["/etc/ssh/sshd_config", "/etc/passwd"], ["/etc/ssh"])).toEqual(["/etc/passwd"]);
  });

  test("may be where a glob starts", () => {
    expect(rootsOf(["/etc/ssh/*"], ["/etc"])).toEqual([]);
    expect(rootsOf(["/etc"], ["/"])).toEqual([]);
  });

  test("may be the files alone, not their directory", () => {
    check(["/etc"], ["/etc/**/*.swp"], {
      "/etc": "reported",
      "/etc/x.swp": "left out",
      "/etc/a/.x.swp": "left out",
      "/etc/a": "reported",
    });
  });
});
