import { expect, test } from "bun:test";
import { managersOf } from "../../../src/labels/managers.ts";
import { actorOf } from "../watch/events.ts";

const of = (executable: string, name: string, args: readonly string[] = []) =>
  managersOf(actorOf(1, { executable, name, args }))[0];

test.each([
  ["/usr/bin/rpm", "rpm"],
  ["/usr/bin/rpm (deleted)", "rpm"],
  ["/usr/bin/dnf5", "rpm"],
  ["/usr/bin/zypper", "rpm"],
  ["/usr/bin/dpkg", "dpkg"],
  ["/usr/bin/apt-get", "dpkg"],
  ["/usr/local/bin/rpm", undefined],
  ["/tmp/usr/bin/rpm", undefined],
  ["rpm", undefined],
  ["", undefined],
] as const)("the executable %s", (executable, manager) => expect(of(executable, "x")).toBe(manager as never));

test.each([
  ["/usr/bin/python3.12", "dnf", ["/usr/bin/python3", "/usr/bin/dnf"], "rpm"],
  ["/usr/bin/python3.9", "python3", ["python3", "/usr/bin/dnf-3", "install"], "rpm"],
  ["/usr/libexec/platform-python3.6", "yum", [], "rpm"],
  ["/usr/bin/python3", "python3", ["/usr/bin/python3", "-s", "/usr/bin/yum", "upgrade"], "rpm"],
  ["/usr/bin/python3", "python3", ["python3", "/tmp/dnf.py"], undefined],
  ["/usr/bin/python3", "python3", ["python3", "/tmp/x", "/usr/bin/dnf"], undefined],
  ["/usr/bin/python3", "python3", [], undefined],
  ["/usr/bin/perl", "dnf", ["perl", "/usr/bin/dnf"], undefined],
] as const)("%s, called %s, with %j", (executable, name, args, manager) => {
  expect(of(executable, name, args)).toBe(manager as never);
});

test("an ancestor counts, and is told from the process itself", () => {
  const ancestors = [
    { pid: 3, name: "sh", executable: "/usr/bin/dash" },
    { pid: 2, name: "dnf", executable: "/usr/bin/python3.12" },
    { pid: 1, name: "init", executable: "/usr/lib/systemd/systemd" },
  ];
  expect(managersOf(actorOf(4, { ancestors }))).toEqual([undefined, undefined, "rpm", undefined]);
});
