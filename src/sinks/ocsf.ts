import { basename, dirname } from "node:path";
import { type Fields, pick, present, sha256Of } from "./fields.ts";
import { toJson } from "../visible.ts";

/** Open Cybersecurity Schema Framework that the classes and attributes are of. */
const OCSF_VERSION = "1.3.0";

/** activity_id of class File System Activity. */
const FILE_ACTIVITIES: Readonly<Record<string, number>> = {
  created: 1,
  modified: 3,
  deleted: 4,
  moved: 5,
  attributes: 6,
  covered: 12,
  uncovered: 13,
};
/** activity_id of class Application Lifecycle. */
const OWN_ACTIVITIES: Readonly<Record<string, number>> = { started: 3, stopped: 4, reloaded: 8 };
const OTHER = 99;

/** type_id of the object File. */
const NODE_TYPES: Readonly<Record<string, number>> = {
  file: 1,
  directory: 2,
  "character device": 3,
  "block device": 4,
  socket: 5,
  fifo: 6,
  symlink: 7,
};

/** severity_id by level: informational, medium, high. */
const SEVERITIES: Readonly<Record<string, number>> = { info: 1, warn: 3, error: 4 };
/** algorithm_id of the object Fingerprint. */
const SHA256 = 3;

/** Keys that have no attribute in the schema. The others are in raw_data. */
const UNMAPPED = [
  "origin",
  "consumer",
  "changes",
  "attributes",
  "notes",
  "why",
  "mount",
  "expected",
  "package",
  "signal",
  "sender",
  "prev",
  "hash",
];

/**
 * A line as an event of OCSF (schema.ocsf.io): File System Activity for a change, Application Lifecycle
 * for what bpfink says of itself; one object of JSON, without the newline. raw_data is the line as it is
 * in the journal, whose hashes can be verified.
 */
export function ocsf(line: string): string {
  const fields = JSON.parse(line) as Fields;
  const { file, host, version, backend, seq, message, level } = fields;
  return toJson({
    ...(file === undefined
      ? {
          ...classOf(6, 6002, fields, OWN_ACTIVITIES),
          app: { name: "bpfink", vendor_name: "bpfink", version },
          ...(fields.process === undefined ? {} : { actor: actorOf(fields) }), // of a signal
        }
      : { ...classOf(1, 1001, fields, FILE_ACTIVITIES), ...changeOf(file, fields) }),
    time: Date.parse(fields.time),
    message,
    severity_id: SEVERITIES[level] ?? 0,
    status_id: level === "error" ? 2 : 1, // failure, success
    device: { hostname: host, type_id: 0 },
    metadata: {
      version: OCSF_VERSION,
      product: { name: "bpfink", vendor_name: "bpfink", version },
      log_name: "bpfink",
      log_provider: backend,
      original_time: fields.time,
      sequence: seq,
    },
    unmapped: pick(fields, UNMAPPED),
    raw_data: line,
  });
}

function classOf(category: number, uid: number, { action }: Fields, activities: Readonly<Record<string, number>>) {
  const activity = activities[action] ?? OTHER;
  return {
    activity_id: activity,
    ...(activity === OTHER ? { activity_name: action } : {}),
    category_uid: category,
    class_uid: uid,
    type_uid: uid * 100 + activity,
  };
}

/** A rename is told of the old path, and has the new one as its result. */
function changeOf(path: string, fields: Fields) {
  const { previous } = fields;
  return {
    file: fileOf(previous ?? path, fields),
    ...(previous === undefined ? {} : { file_result: fileOf(path, fields) }),
    actor: actorOf(fields),
  };
}

function fileOf(path: string, fields: Fields) {
  const { generic } = fields;
  const sha256 = sha256Of(fields);
  return {
    name: basename(path),
    path,
    parent_folder: dirname(path),
    type_id: NODE_TYPES[present<string>(generic?.["type"], "string") ?? ""] ?? 0,
    size: present<number>(generic?.["size"], "number"),
    ...(sha256 === undefined ? {} : { hashes: [{ algorithm_id: SHA256, value: sha256 }] }),
  };
}

function actorOf({ process, user, loginUser, effectiveUser }: Fields) {
  if (process === undefined) return { app_name: "unknown" };
  const [parent] = process.ancestors ?? [];
  return {
    user: { name: loginUser ?? user },
    process: {
      pid: process.pid,
      name: process.name,
      cmd_line: process.args.join(" "),
      ...(process.start === "" ? {} : { created_time: Date.parse(process.start) }),
      file: executableOf(process),
      user: { name: effectiveUser ?? user },
      session: process.tty === undefined ? undefined : { terminal: process.tty },
      ...(process.container === undefined ? {} : { container: { uid: process.container } }),
      parent_process: { pid: process.ppid, name: parent?.name, ...(parent && { file: executableOf(parent) }) },
    },
  };
}

const executableOf = ({ executable, name }: { readonly executable: string; readonly name: string }) => ({
  name: executable === "" ? name : basename(executable),
  path: executable || undefined,
  type_id: 1,
});
