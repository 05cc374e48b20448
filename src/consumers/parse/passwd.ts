import type { Fingerprint } from "../consumer.ts";
import { redacted, redactHashes } from "../../hashes.ts";
import { isPiece } from "../torn.ts";
import { isCompat, type Parsed, parseDatabase, type ReadFields, readId, shownName } from "./lines.ts";
import { describeOpenPassword, type Password } from "./password.ts";

/** A line of passwd(5). */
export interface PasswdEntry extends Password {
  readonly user: string;
  /** Not there in NIS lines that leave it to the server. */
  readonly uid?: number;
  readonly gid?: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

const FIELDS = 7;

/**
 * passwd(5), with the tolerance of the C library, which lets people log in: whatever it would take
 * for an account is an entry here, its oddity a problem. Lines it ignores are problems only.
 */
export function parsePasswd(content: Uint8Array, fingerprint: Fingerprint): Parsed<PasswdEntry> {
  const read: ReadFields<PasswdEntry> = (fields, problem) => {
    const [name = "", password, uidField = "", gidField = "", gecos = "", home = "", ...shell] = fields;
    if (fields.length !== FIELDS && !isCompat(name)) problem(`${FIELDS} fields expected, not ${fields.length}`);
    const uid = readId(uidField);
    const gid = readId(gidField);
    if (!isCompat(name)) {
      if (name === "") problem("no user name");
      if (uid === undefined) problem("uid is not a number");
      if (gid === undefined) problem("gid is not a number");
      if (uid === undefined || gid === undefined) return undefined;
      if (String(uid) !== uidField || String(gid) !== gidField) problem("uid or gid is oddly written");
    }
    // Fields can be in the wrong place, and a hash with them.
    const shownText = (text: string) => redactHashes(text, fingerprint);
    return {
      user: shownName(name, fingerprint),
      ...(password === undefined ? {} : describeOpenPassword(password, fingerprint)),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      gecos: shownText(gecos),
      home: shownText(home),
      // what is one field too many may be the next line, whose newline was lost
      shell: shownText(shell.map((part, i) => (i > 0 && isPiece(part) ? redacted(part, fingerprint) : part)).join(":")),
    };
  };
  return parseDatabase(content, read);
}
