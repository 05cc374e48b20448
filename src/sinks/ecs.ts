import { basename, dirname, extname } from "node:path";
import { type Fields, pick, present, sha256Of } from "./fields.ts";
import { toJson } from "../visible.ts";

/** Elastic Common Schema that the fields are of; all of them are in every 8.x, and in 9. */
const ECS_VERSION = "8.17.0";

/** event.type of what happened to a file; all else is a change. */
const FILE_TYPES: Readonly<Record<string, readonly string[]>> = { created: ["creation"], deleted: ["deletion"] };
/** event.type of what bpfink says of itself; all else is information. */
const OWN_TYPES: Readonly<Record<string, readonly string[]>> = { started: ["start"], stopped: ["end"] };
/** file.type as the schema has it. */
const NODE_TYPES: Readonly<Record<string, string>> = { file: "file", directory: "dir", symlink: "symlink" };

/** Keys that have no field in the schema and are told beside it. The others are in event.original. */
const OWN = [
  "origin",
  "consumer",
  "previous",
  "changes",
  "attributes",
  "notes",
  "mount",
  "expected",
  "package",
  "signal",
  "sender",
];

/**
 * A line in the Elastic Common Schema (elastic.co/guide/en/ecs): one object of JSON, without the
 * newline. event.original is the line as it is in the journal, whose hashes can be verified.
 */
export function ecs(line: string): string {
  const fields = JSON.parse(line) as Fields;
  const { file, host, level, time, message, version } = fields;
  return toJson({
    "@timestamp": time,
    ecs: { version: ECS_VERSION },
    message,
    log: { level },
    host: { name: host, hostname: host },
    observer: { product: "bpfink", type: "hids", version },
    event: {
      kind: "event",
      ...(file === undefined ? ownEvent(fields) : fileEvent(fields)),
      action: fields.action,
      module: "bpfink",
      provider: fields.backend,
      reason: fields.why,
      sequence: fields.seq,
      hash: fields.hash,
      original: line,
    },
    ...(file === undefined ? {} : { file: fileOf(file, fields) }),
    ...actorOf(fields),
    bpfink: pick(fields, OWN),
  });
}

function ownEvent({ action, level }: Fields) {
  return {
    category: ["process"],
    type: OWN_TYPES[action] ?? ["info"],
    outcome: level === "error" ? "failure" : "success",
  };
}

function fileEvent({ action, consumer }: Fields) {
  const type = FILE_TYPES[action] ?? ["change"];
  return consumer === "users"
    ? { category: ["file", "iam"], type: [...type, "user"], outcome: "success" }
    : { category: ["file"], type, outcome: "success" };
}

function fileOf(path: string, fields: Fields) {
  const { generic, attributes } = fields;
  const sha256 = sha256Of(fields);
  const id = (key: string) => (attributes?.[key]?.to ?? generic?.[key])?.toString();
  return {
    path,
    name: basename(path),
    directory: dirname(path),
    extension: extname(path).slice(1) || undefined,
    type: NODE_TYPES[present<string>(generic?.["type"], "string") ?? ""],
    size: present<number>(generic?.["size"], "number"),
    inode: present<string>(generic?.["inode"], "string"),
    mode: id("mode"),
    uid: id("uid"),
    gid: id("gid"),
    ...(sha256 === undefined ? {} : { hash: { sha256 } }),
  };
}

function actorOf({ process, user, loginUser, effectiveUser }: Fields) {
  if (process === undefined) return {};
  const [parent] = process.ancestors ?? [];
  const { pid, name, executable, args, start, ppid, session, container } = process;
  const users = [...new Set([user, loginUser, effectiveUser].filter((each) => each !== undefined))];
  return {
    process: {
      pid,
      name,
      executable: executable || undefined,
      args,
      args_count: args.length,
      start: start || undefined,
      real_user: { name: user },
      user: { name: effectiveUser ?? user },
      parent: { pid: ppid, name: parent?.name, executable: parent?.executable || undefined },
      ...(session === undefined ? {} : { session_leader: { pid: session } }),
    },
    // who logged in is whom to ask, whatever he became since
    user: { name: loginUser ?? user, ...(effectiveUser === undefined ? {} : { effective: { name: effectiveUser } }) },
    related: { user: users },
    ...(container === undefined ? {} : { container: { id: container } }),
  };
}
