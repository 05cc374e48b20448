// Lines in the schemas of others: every field is one that the schema has, with its type, and the line itself is kept.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FORMATS, originalOf, PRINTED } from "../../../src/sinks/formats.ts";

const head = {
  time: "2026-11-24T13:41:58.083920Z",
  seq: 2,
  prev: "0".repeat(64),
  hash: "1".repeat(64),
  level: "warn",
  message: "text file modified",
  host: "h",
  version: "0.1.0",
};
const who = {
  process: {
    pid: 7,
    ppid: 6,
    name: "vi",
    executable: "/usr/bin/vim.basic",
    args: ["vi", "/etc/a b.conf"],
    tty: "pts/0",
    session: 5,
    cgroup: "/x",
    container: "c0ffee",
    start: "2026-11-24T13:41:50.109Z",
    ancestors: [{ pid: 6, name: "sudo", executable: "/usr/bin/sudo" }],
  },
  processName: "vi",
  user: "root",
  loginUser: "dave",
  effectiveUser: "daemon",
};
const change = { ...head, action: "modified", origin: "live", backend: "ebpf/fentry", file: "/etc/a b.conf", ...who };
const digest = "5ae651f5d078afafc9ac152d8239fbdf701db0f30c856d285c145175ed8cf389";
const lines = {
  generic: {
    ...change,
    consumer: "generic",
    why: "runs as root",
    generic: { current: "", next: digest, size: { from: 4, to: 3 }, type: "file", inode: "12" },
    attributes: { mode: { from: "0644", to: "4755" }, uid: { from: 0, to: 1 }, gid: { from: 0, to: 1 } },
    notes: ["setuid: runs as uid 1"],
  },
  keyed: { ...change, consumer: "generic", generic: { current: "", next: `keyed:${digest}`, type: "file" } },
  users: { ...change, consumer: "users", changes: ["carol's password changed"] },
  moved: { ...change, consumer: "diff", action: "moved", previous: "/etc/old.conf" },
  found: { ...head, action: "deleted", origin: "startup", backend: "none", consumer: "diff", file: "/f" },
  started: { ...head, level: "info", action: "started", backend: "fanotify", message: "bpfink started" },
  stopped: { ...head, level: "info", action: "stopped", message: "bpfink stopped", signal: "SIGTERM", ...who },
  gap: { ...head, level: "error", action: "gap", backend: "fanotify", message: "events lost" },
};
const printed = (format: (typeof FORMATS)[number], line: object) =>
  JSON.parse(PRINTED[format](JSON.stringify(line))) as Record<string, never>;

/** Every value in an object, by its path; an array counts as what it holds. */
function leaves(value: unknown, path = ""): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((each) => leaves(each, path));
  if (typeof value !== "object" || value === null) return [[path, typeof value]];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, path === "" ? key : `${path}.${key}`));
}

/** generated/ecs/ecs_flat.yml of the schema, 8.17: keyword, text and date are strings, long is a number. */
const ECS = new Map(
  [
    "@timestamp ecs.version message log.level host.name host.hostname observer.product observer.type observer.version",
    "event.kind event.category event.type event.outcome event.action event.module event.provider event.reason",
    "event.sequence: event.hash event.original file.path file.name file.directory file.extension file.type file.size:",
    "file.inode file.mode file.uid file.gid file.hash.sha256 process.pid: process.name process.executable process.args",
    "process.args_count: process.start process.real_user.name process.user.name process.parent.pid:",
    "process.parent.name process.parent.executable process.session_leader.pid: user.name user.effective.name",
    "related.user container.id",
  ]
    .join(" ")
    .split(" ")
    .map((name) => [name.replace(":", ""), name.endsWith(":") ? "number" : "string"]),
);

/** Classes file_activity and application_lifecycle of OCSF 1.3, and the objects in them: _t of integers and times are numbers. */
const OCSF = new Map(
  [
    "activity_id: activity_name category_uid: class_uid: type_uid: time: message severity_id: status_id: raw_data",
    "device.hostname device.type_id: app.name app.vendor_name app.version actor.app_name actor.user.name",
    "metadata.version metadata.product.name metadata.product.vendor_name metadata.product.version metadata.log_name",
    "metadata.log_provider metadata.original_time metadata.sequence:",
    ...["file", "file_result"].map((file) =>
      `name path parent_folder type_id: size: hashes.algorithm_id: hashes.value`.replace(/(^| )/g, `$1${file}.`),
    ),
    ..."pid: name cmd_line created_time: file.name file.path file.type_id: user.name session.terminal container.uid"
      .split(" ")
      .map((name) => `actor.process.${name}`),
    "actor.process.parent_process.pid: actor.process.parent_process.name actor.process.parent_process.file.name",
    "actor.process.parent_process.file.path actor.process.parent_process.file.type_id:",
  ]
    .join(" ")
    .split(" ")
    .map((name) => [name.replace(":", ""), name.endsWith(":") ? "number" : "string"]),
);

test.each(Object.entries(lines))("fields and types of %s", (_, line) => {
  for (const [format, schema, own] of [
    ["ecs", ECS, "bpfink."],
    ["ocsf", OCSF, "unmapped."],
  ] as const) {
    const found = leaves(printed(format, line)).filter(([path]) => !path.startsWith(own));
    expect(found.filter(([path, type]) => schema.get(path) !== type)).toEqual([]);
  }
});

test("ECS: what happened to what, and who did it", () => {
  expect(printed("ecs", lines.generic)).toMatchObject({
    "@timestamp": head.time,
    event: { category: ["file"], type: ["change"], action: "modified", reason: "runs as root", sequence: 2 },
    file: {
      ...{ path: "/etc/a b.conf", name: "a b.conf", directory: "/etc", extension: "conf", type: "file", size: 3 },
      ...{ mode: "4755", uid: "1", gid: "1", hash: { sha256: digest } },
    },
    process: { pid: 7, args: ["vi", "/etc/a b.conf"], args_count: 2, parent: { pid: 6, name: "sudo" } },
    user: { name: "dave", effective: { name: "daemon" } },
    related: { user: ["root", "dave", "daemon"] },
    bpfink: { origin: "live", notes: ["setuid: runs as uid 1"] },
  });
  expect(printed("ecs", lines.users)).toMatchObject({ event: { category: ["file", "iam"], type: ["change", "user"] } });
  expect(printed("ecs", lines.found)).toMatchObject({ event: { type: ["deletion"] } });
  expect(printed("ecs", lines.started)).toMatchObject({ event: { category: ["process"], type: ["start"] } });
  expect(printed("ecs", lines.stopped)).toMatchObject({
    ...{ event: { type: ["end"] }, process: { pid: 7 }, user: { name: "dave" }, bpfink: { signal: "SIGTERM" } },
  });
  expect(printed("ecs", lines.gap)).toMatchObject({ event: { type: ["info"], outcome: "failure" } });
});

test("OCSF: class, activity, and who did it", () => {
  expect(printed("ocsf", lines.generic)).toMatchObject({
    ...{ category_uid: 1, class_uid: 1001, activity_id: 3, type_uid: 100103, time: 1795527718083, severity_id: 3 },
    file: { name: "a b.conf", size: 3, type_id: 1, hashes: [{ algorithm_id: 3, value: digest }] },
    actor: { user: { name: "dave" }, process: { pid: 7, cmd_line: "vi /etc/a b.conf", parent_process: { pid: 6 } } },
  });
  expect(printed("ocsf", lines.moved)).toMatchObject({
    ...{ activity_id: 5, file: { path: "/etc/old.conf" }, file_result: { path: "/etc/a b.conf" } },
  });
  expect(printed("ocsf", lines.stopped)).toMatchObject({
    ...{ class_uid: 6002, activity_id: 4, actor: { process: { pid: 7 } }, unmapped: { signal: "SIGTERM" } },
  });
  expect(printed("ocsf", lines.started)).toMatchObject({ class_uid: 6002, activity_id: 3, type_uid: 600203 });
  expect(printed("ocsf", lines.gap)).toMatchObject({ activity_id: 99, activity_name: "gap", severity_id: 4 });
});

test("a keyed digest is no SHA-256 of the content", () => {
  for (const format of ["ecs", "ocsf"] as const) {
    const { event: _, raw_data: __, ...rest } = printed(format, lines.keyed);
    expect(JSON.stringify(rest)).not.toContain(digest);
  }
});

test.each(FORMATS)("%s: the line can be had again, also from JSON that was written anew", (format) => {
  for (const line of Object.values(lines)) {
    const text = JSON.stringify(line);
    const again = `{"x":1,${PRINTED[format](text).slice(1)}`;
    expect(originalOf(Buffer.from(PRINTED[format](text))).toString()).toBe(text);
    if (format !== "bpfink") expect(originalOf(Buffer.from(again)).toString()).toBe(text);
  }
});

test("what is no line stays as it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(originalOf(Buffer.from(text)).toString()).toBe(Buffer.from(text).toString());
    }),
  );
});
