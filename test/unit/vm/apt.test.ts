import { expect, test } from "bun:test";
import { debianMirror } from "../../vm/apt.ts";

test("the archive, not its updates, security or another's packages", () => {
  const targets = [
    "https://elsewhere.example/node|nodistro|main|. nodistro",
    "https://mirror.example/debian-security/|bookworm-security|main|Debian-Security",
    "https://mirror.example/debian/|bookworm-updates|main|Debian",
    "https://mirror.example/debian/|bookworm|contrib|Debian",
    "https://mirror.example/deb/|bookworm|main|Debian",
  ];
  expect(debianMirror(targets.join("\n"))).toBe("https://mirror.example/deb/");
});

test("before the first update the path tells", () => {
  const targets = [
    "https://elsewhere.example/node|nodistro|main|$(LABEL)",
    "https://mirror.example/debian-security/|bookworm-security|main|$(LABEL)",
    "https://mirror.example/debian/|bookworm|main|$(LABEL)",
  ];
  expect(debianMirror(targets.join("\n"))).toBe("https://mirror.example/debian/");
});

test("a machine without a Debian archive has none", () => {
  expect(debianMirror("https://mirror.example/ubuntu/|noble|main|Ubuntu\n")).toBeUndefined();
});
