import { readFileSync } from "node:fs";

/**
 * Names of user ids of this host, from /etc/passwd as it is at the moment of asking: a user made a
 * moment ago has a name already.
 */
export function userName(uid: number): string {
  for (const line of readPasswd().split("\n")) {
    const [name, , id] = line.split(":", 3);
    if (name !== undefined && name !== "" && id === String(uid)) return name;
  }
  return String(uid);
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return ""; // no names then: ids do
  }
}
