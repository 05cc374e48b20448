import type { Fingerprint } from "../consumer.ts";
import { isCompat, type Parsed, parseDatabase, type ReadFields, readId, shownName } from "./lines.ts";
import { describeOpenPassword, describePassword, isEntryName, type Password } from "./password.ts";

/** A line of group(5) or gshadow(5). */
export interface GroupEntry extends Password {
  readonly group: string;
  /** Of group(5); not there in NIS lines that leave it to the server. */
  readonly gid?: number;
  /** Of gshadow(5): who may change the members and the password with gpasswd(1). */
  readonly admins?: readonly string[];
  readonly members: readonly string[];
}

const FIELDS = 4;

/** group(5), with the tolerance of the C library: what it takes for a group is an entry, its oddity a problem. */
export function parseGroup(content: Uint8Array, fingerprint: Fingerprint): Parsed<GroupEntry> {
  const read: ReadFields<GroupEntry> = (fields, problem) => {
    const [name = "", password, gidField = "", members = ""] = fields;
    const compat = isCompat(name);
    if (fields.length !== FIELDS && !compat) problem(`${FIELDS} fields expected, not ${fields.length}`);
    const gid = readId(gidField);
    if (!compat) {
      if (name === "") problem("no group name");
      if (gid === undefined) {
        problem("gid is not a number");
        return undefined;
      }
      if (String(gid) !== gidField) problem("gid is oddly written");
    }
    return {
      group: shownName(name, fingerprint),
      ...(password === undefined ? {} : describeOpenPassword(password, fingerprint)),
      ...(gid === undefined ? {} : { gid }),
      members: readNames(members, fingerprint),
    };
  };
  return parseDatabase(content, read);
}

/** gshadow(5). Nothing of a password leaves this function but its fingerprint. */
export function parseGshadow(content: Uint8Array, fingerprint: Fingerprint): Parsed<GroupEntry> {
  const read: ReadFields<GroupEntry> = (fields, problem) => {
    const [name = "", password = "", admins = "", members = ""] = fields;
    const isWhole = fields.length === FIELDS;
    if (!isWhole && !isCompat(name)) problem(`${FIELDS} fields expected, not ${fields.length}`);
    if (!isEntryName(name, password, isWhole)) {
      problem("the first field is not a group name");
      return undefined;
    }
    if (name === "") problem("no group name");
    return {
      group: shownName(name, fingerprint),
      ...(fields.length > 1 ? describePassword(password, fingerprint) : {}),
      // with a colon too many or too few they can be the end of a hash
      admins: isWhole ? readNames(admins, fingerprint) : [],
      members: isWhole ? readNames(members, fingerprint) : [],
    };
  };
  return parseDatabase(content, read);
}

function readNames(field: string, fingerprint: Fingerprint): string[] {
  const names = field
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return names.map((name) => shownName(name, fingerprint));
}
