import { expect, test } from "bun:test";
import { translate } from "../../../src/config/upstream.ts";

const metrics = { hostRolePath: "/etc/facts", hostRoleToken: "=", hostRoleKey: "role" };

test("the role is read from the file that is named", () => {
  const role = (text: string) => translate({ MetricsConfig: metrics }, () => text);
  expect(role("os=debian\nrole=db\nrole=web\n")).toEqual({ table: { role: "db" }, notes: [] });
  expect(role("os=debian\n")).toEqual({
    table: {},
    notes: ["hostRolePath: /etc/facts has no role: the role is not known"],
  });
  const unreadable = () => {
    throw new Error("ENOENT");
  };
  expect(translate({ MetricsConfig: metrics }, unreadable).notes).toEqual([
    "hostRolePath: /etc/facts cannot be read: the role is not known",
  ]);
});

test("graphiteMode says whether anything is sent", () => {
  const graphite = (graphiteMode: unknown) =>
    translate({ MetricsConfig: { graphiteHost: "h:1", graphiteMode } }).table["graphite"];
  expect([1, "1", 2, "3", 3].map(graphite)).toEqual([undefined, undefined, "-", "h:1", "h:1"]);
});

test("keys that it never read are said", () => {
  const consumers = { genric: ["/boot"], Users: { passwd: "/etc/passwd", group: "/etc/group" } };
  expect(translate({ consumers, MetricsConfig: { graphitMode: 3 }, watch: ["/x"] }).notes).toEqual([
    "watch: not known, has no effect",
    "consumers.genric: not known, has no effect",
    "consumers.users.group: not known, has no effect",
    "metricsconfig.graphitmode: not known, has no effect",
  ]);
});

test("what is not to be had is said", () => {
  expect(translate({ level: "off", keyfile: "/k", debug: false })).toEqual({
    table: { "log-level": "error" },
    notes: [expect.stringMatching(/^keyfile: /), expect.stringMatching(/^level: off/)],
  });
});
