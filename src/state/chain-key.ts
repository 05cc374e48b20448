import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { BpfinkError, ExitStatus, messageOf } from "../errors.ts";

/** A key shorter than the hash weakens it (RFC 2104, 3). */
const SHORTEST = 32;
const LONGEST = 4096;

/** The key of the chain: all bytes of a file that nobody but its owner can read. Throws BpfinkError (`usage`). */
export function readChainKey(path: string): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { mode, size, uid } = fstatSync(fd);
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG;
    if (!isFile) throw unusable(path, "is not a regular file", "name one");
    if ((mode & 0o077) !== 0) throw unusable(path, "can be read by others than its owner", `chmod 600 ${path}`);
    if (uid !== 0 && uid !== process.geteuid?.()) throw unusable(path, `belongs to user ${uid}`, `chown root ${path}`);
    if (size < SHORTEST || size > LONGEST) {
      const hint = `make one: (umask 077; head -c ${SHORTEST} /dev/urandom > ${path})`;
      throw unusable(path, `has ${size} bytes, not ${SHORTEST} to ${LONGEST}`, hint);
    }
    return readFileSync(fd);
  } catch (error) {
    if (error instanceof BpfinkError) throw error;
    throw unusable(path, `cannot be read: ${messageOf(error)}`, "make it, or name another");
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function unusable(path: string, what: string, hint: string): BpfinkError {
  return new BpfinkError(ExitStatus.usage, `--chain-key ${path} ${what}`, hint);
}
