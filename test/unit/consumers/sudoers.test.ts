import { expect, test } from "bun:test";
import type { Look } from "../../../src/consumers/consumer.ts";
import { consumerFor } from "../../../src/consumers/registry.ts";
import { fileLook, keys } from "./helpers.ts";

const ROOT = "root ALL=(ALL:ALL) ALL\n";
const rule = { users: ["root"], hosts: ["ALL"], runAs: ["ALL"], runAsGroups: ["ALL"], commands: ["ALL"] };
const missing: Look = { type: "missing" };

function compare(before: string | Look, after: string | Look, path = "/etc/sudoers") {
  const consumer = consumerFor(path, true);
  const [from, to] = [before, after]
    .map((look) => (typeof look === "string" ? fileLook(look) : look))
    .map((look) => JSON.parse(JSON.stringify(consumer.parse(path, look, keys))));
  return consumer.compare(path, from, to);
}

const details = (before: string | Look, after: string | Look, path?: string) => compare(before, after, path)?.details;
const changes = (before: string, after: string) => details(before, after)?.["changes"];

test("rules that came and went stand beside the diff", () => {
  const line = "carol ALL=(root) NOPASSWD: /usr/bin/apt";
  const carol = { users: ["carol"], hosts: ["ALL"], runAs: ["root"], commands: ["/usr/bin/apt"], noPassword: true };
  expect(compare(ROOT, `${ROOT}${line}\n`)).toEqual({
    action: "modified",
    consumer: "diff",
    message: "text file modified",
    details: {
      changes: ["carol may run /usr/bin/apt as root without a password"],
      add: { Content: [line], rules: [carol] },
      del: { Content: [], rules: [] },
      diff: `--- /etc/sudoers\n+++ /etc/sudoers\n@@ -1,1 +1,2 @@\n ${ROOT}+${line}\n`,
    },
  });
});

test("in words", () => {
  const of = (line: string) => (changes("", `${line}\n`) as readonly string[])[0];
  expect(
    [
      "root ALL=(ALL:ALL) ALL",
      "ALL ALL=ALL",
      "%adm,!bob web1,WEBS=(:video) /bin/a x, /bin/b",
      "bob ALL=(www:www,ALL) NOEXEC: NOPASSWD: sudoedit /a",
    ].map(of),
  ).toEqual([
    "root may run anything as anybody with the group of anybody",
    "everybody may run anything as root",
    "%adm, !bob may run /bin/a x, /bin/b with the group video on web1, WEBS",
    "bob may run sudoedit /a as www with the group www, of anybody without a password",
  ]);
  expect(changes(`${ROOT}bob ALL=ALL\n`, `${ROOT}bob ALL=NOPASSWD:ALL\n`)).toEqual([
    "bob may no longer run anything as root",
    "bob may run anything as root without a password",
  ]);
});

test("a file that comes and goes; one that sudo does not read", () => {
  const path = "/etc/sudoers.d/ops";
  expect(details(missing, ROOT, path)).toMatchObject({ add: { rules: [rule] }, del: { rules: [] } });
  expect(details(ROOT, missing, path)).toMatchObject({ add: { rules: [] }, del: { rules: [rule] } });
  const notes = ["sudo does not read it: there is a dot in its name, or a ~ at the end"];
  for (const name of ["ops.conf", "ops~"])
    expect(details(missing, ROOT, `/etc/sudoers.d/${name}`)).toMatchObject({ notes });
  expect(details(missing, ROOT, path)).not.toHaveProperty("notes");
});

test("order, what is no rule, and what is not understood", () => {
  const bob = "bob ALL=NOPASSWD:ALL\n";
  expect(details(ROOT + bob, bob + ROOT)).toMatchObject({
    add: { rules: [] },
    del: { rules: [] },
    notes: ["order changed: the last rule that matches decides"],
  });
  const quiet = details(ROOT, `Defaults !lecture\n# x\n${ROOT}`);
  expect(quiet).toMatchObject({ add: { rules: [] } });
  expect([quiet?.["changes"], quiet?.["notes"], quiet?.["problems"]]).toEqual([undefined, undefined, undefined]);
  expect(details(ROOT, `${ROOT}bob ALL=(ALL) TIMEOUT=5m /bin/ls\n`)).toMatchObject({
    add: { Content: ["bob ALL=(ALL) TIMEOUT=5m /bin/ls"], rules: [] },
    problems: [{ line: 2, reason: "not understood rule by rule: the diff alone tells of it" }],
  });
});

test("of many the first, and how many more; soon", () => {
  const many = Array.from({ length: 50_000 }, (_, i) => `u${i} ALL=(root) NOPASSWD: /bin/a ${i}, /bin/b\n`).join("");
  const begin = performance.now();
  const { add, changes } = details(ROOT, many) as { add: { rules: unknown[] }; changes: string[] };
  expect(performance.now() - begin).toBeLessThan(3000);
  expect([add.rules.length, changes.length, changes.at(-1)]).toEqual([50, 51, "49951 more"]);
});

test("any other file has no rules", () => {
  for (const path of ["/etc/sudo.conf", "/etc/sudoers.d/a/b", "/etc/motd"])
    expect(details("x\n", ROOT, path)).not.toHaveProperty("changes");
});
