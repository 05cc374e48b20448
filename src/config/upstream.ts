import { readFileSync } from "node:fs";
import { usage } from "../cli/args.ts";
import { isTable, type Table } from "./toml.ts";

/** Keys that bookingcom/bpfink's agent.toml has at its top, and this program's file has not; in lower case. */
const MARKS = ["consumers", "metricsconfig", "bcc", "keyfile", "level"];

/** Whether a configuration is in the format of bookingcom/bpfink's agent.toml. */
export const isUpstream = (table: Table): boolean =>
  Object.keys(table).some((key) => MARKS.includes(key.toLowerCase()));

/** What it reads, by table; in lower case. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "": [...MARKS, "database", "debug"],
  consumers: ["root", "access", "generic", "genericdiff", "excludes", "users"],
  "consumers.users": ["root", "passwd", "shadow"],
  metricsconfig: [
    ...["graphitehost", "graphitemode", "namespace", "collectioninterval"],
    ...["hostrolepath", "hostroletoken", "hostrolekey"],
  ],
};

/** graphiteMode: 1 sends nothing, 2 prints, 3 sends. */
const PRINT = 2;
const SEND = 3;

/**
 * The same in this program's keys. It read keys whatever their case (viper), and so does this.
 *
 * @param readText reads the file that names the role
 */
export function translate(
  table: Table,
  readText: (path: string) => string = (path) => readFileSync(path, "utf8"),
): { table: Table; notes: string[] } {
  const notes: string[] = [];
  const top = lowerCase(table);
  const consumers = lowerCase(top["consumers"]);
  const users = lowerCase(consumers["users"]);
  const metrics = lowerCase(top["metricsconfig"]);
  for (const [name, found] of Object.entries({
    "": top,
    consumers,
    "consumers.users": users,
    metricsconfig: metrics,
  })) {
    // it took no notice of them; who wrote one may believe that something is watched
    for (const key of Object.keys(found).filter((key) => !KNOWN[name]!.includes(key)))
      notes.push(`${name === "" ? key : `${name}.${key}`}: not known, has no effect`);
  }
  const watch: Table[] = [];
  const add = (value: unknown, consumer: string) => {
    for (const path of texts(value)) watch.push({ path, consumer });
  };
  add(consumers["access"], "access");
  add(users["passwd"], "users");
  add(users["shadow"], "users");
  add(consumers["genericdiff"], "diff");
  add(consumers["generic"], "generic");
  if (top["bcc"] !== undefined) notes.push("bcc: not needed, the BPF program is part of bpfink");
  if (top["keyfile"] !== undefined && top["keyfile"] !== "")
    notes.push("keyfile: not needed, the key is random and kept in the database");
  if (top["database"] !== undefined)
    notes.push("database: was a Bolt file, which bpfink does not read; its own is SQLite (--database)");
  if (users["root"] !== undefined) notes.push("consumers.users.root: has never had an effect; consumers.root has");
  const exclude: string[] = [];
  for (const pattern of texts(consumers["excludes"])) {
    const literal = pattern
      .replace(/^\^/, "")
      .replace(/\$$/, "")
      .replace(/\\([./-])/g, "$1");
    // its dots were meant as dots
    if (literal.startsWith("/") && /^[\w/. @:+-]+$/.test(literal)) {
      exclude.push(pattern.endsWith("$") || literal.endsWith("/") ? literal : `${literal}*`);
    } else notes.push(`consumers.excludes: "${pattern}" is a regular expression and excludes nothing: write a glob`);
  }
  const level = top["debug"] === true ? "debug" : top["level"];
  if (level === "off") notes.push("level: off is not to be had; errors are always said");
  const role = roleOf(metrics, readText, notes);
  return {
    table: {
      ...(level === undefined ? {} : { "log-level": level === "off" ? "error" : level }),
      ...(typeof consumers["root"] === "string" && consumers["root"] !== "" ? { root: consumers["root"] } : {}),
      ...(watch.length > 0 ? { watch } : {}),
      ...(exclude.length > 0 ? { exclude } : {}),
      ...graphiteOf(metrics),
      ...(role === undefined ? {} : { role }),
    },
    notes,
  };
}

function graphiteOf(metrics: Table): Table {
  const mode = Number(metrics["graphitemode"] ?? 1);
  if (mode !== PRINT && mode !== SEND) return {};
  const server = texts(metrics["graphitehost"])[0];
  const [namespace] = texts(metrics["namespace"]);
  const [interval] = texts(metrics["collectioninterval"]);
  return {
    ...(mode === PRINT ? { graphite: "-" } : server === undefined ? {} : { graphite: server }),
    ...(namespace === undefined ? {} : { "graphite-prefix": namespace }),
    ...(interval === undefined ? {} : { "graphite-interval": interval }),
  };
}

/** The second part of the line that begins with hostRoleKey, where hostRoleToken separates parts. */
function roleOf(metrics: Table, readText: (path: string) => string, notes: string[]): string | undefined {
  const [path] = texts(metrics["hostrolepath"]);
  const [token] = texts(metrics["hostroletoken"]);
  const key = metrics["hostrolekey"];
  if (path === undefined || token === undefined || typeof key !== "string") return undefined;
  try {
    const parts = readText(path)
      .split("\n")
      .map((line) => line.split(token));
    const role = parts.find(([name, value]) => name === key && value !== undefined)?.[1]?.trim();
    if (role !== undefined && role !== "") return role;
    notes.push(`hostRolePath: ${path} has no ${key}: the role is not known`);
  } catch {
    notes.push(`hostRolePath: ${path} cannot be read: the role is not known`);
  }
  return undefined;
}

function lowerCase(value: unknown): Table {
  if (!isTable(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
}

/** Strings, from one or a list; empty ones count for nothing. */
function texts(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return items
    .map((item) => {
      if (typeof item === "string") return item;
      throw usage(`${JSON.stringify(item)} stands where a text is wanted`, "put it into quotes");
    })
    .filter((item) => item !== "");
}
