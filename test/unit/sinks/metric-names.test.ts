import { expect, test } from "bun:test";
import fc from "fast-check";
import { cleanPart, installedMetrics, minutelyMetrics } from "../../../src/sinks/metric-names.ts";

const identity = { host: "Web-01.example.com", role: "front end", prefix: "a.b", version: "1.2.3" };

test.each([
  ["Web-01.example.com", "web-01_example_com"],
  ["__a b__", "a_b"],
  ["..", "unknown"],
  ["", "unknown"],
  ["a/../b", "a_b"],
  ["ünï", "ünï"],
])("%p is written as %p", (text, clean) => {
  expect(cleanPart(text)).toBe(clean);
});

test("no text makes a part that is two, or that ends the line", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => expect(cleanPart(text)).toMatch(/^[^.\s/]+$/u)));
});

test("that it is installed", () => {
  const before = "a.b.installed.by_role.front_end.web-01_example_com";
  expect(installedMetrics(identity)).toEqual({
    [`${before}.count.hourly`]: 1,
    [`${before}.count.hourly.value`]: 1,
    [`${before}.version.hourly`]: 123,
    [`${before}.version.hourly.value`]: 123,
  });
});

test.each([
  ["Security.piv_x.bpf-fink.", "Security.piv_x.bpf-fink."],
  ["", ""],
  ["..a..b", "a.b."],
  ["a b.c\n/d", "a_b.c_d."],
])("the prefix %p comes before as %p", (prefix, before) => {
  const names = Object.keys(installedMetrics({ ...identity, prefix, host: "h", role: "r" }));
  expect(names).toContain(`${before}installed.by_role.r.h.count.hourly`);
});

test("what is counted", () => {
  const measured = {
    interval: 30,
    counters: new Map([
      ["events.seen", 5],
      ["log_level.warn", 2],
    ]),
    gauges: { watched_files: 7 },
    programs: [
      { name: "fput", hits: 3, misses: 1 },
      { name: "idle", hits: 0, misses: 0 },
    ],
  };
  expect(minutelyMetrics({ ...identity, host: "h", role: "", prefix: "" }, measured)).toEqual({
    "log_level.warn.by_role.unknown_role.h.count.minutely": 2,
    "log_level.warn.by_role.unknown_role.h.count.minutely.count": 2,
    "log_level.warn.by_role.unknown_role.h.count.minutely.count_ps": 0.07,
    "bpf.events_caught.by_role.unknown_role.h.count.minutely": 5,
    "bpf.events_caught.by_role.unknown_role.h.count.minutely.count": 5,
    "bpf.events_caught.by_role.unknown_role.h.count.minutely.count_ps": 0.17,
    "bpf.by_role.unknown_role.h.fput.kprobe.hit_rate.minutely": 0.75,
    "bpf.by_role.unknown_role.h.fput.kprobe.hit_rate.minutely.value": 0.75,
    "bpf.by_role.unknown_role.h.fput.kprobe.miss_rate.minutely": 0.25,
    "bpf.by_role.unknown_role.h.fput.kprobe.miss_rate.minutely.value": 0.25,
    "bpf.by_role.unknown_role.h.idle.kprobe.hit_rate.minutely": 1,
    "bpf.by_role.unknown_role.h.idle.kprobe.hit_rate.minutely.value": 1,
    "bpf.by_role.unknown_role.h.idle.kprobe.miss_rate.minutely": 0,
    "bpf.by_role.unknown_role.h.idle.kprobe.miss_rate.minutely.value": 0,
    "bpfink.by_role.unknown_role.h.events.seen": 5,
    "bpfink.by_role.unknown_role.h.watched_files": 7,
  });
});
