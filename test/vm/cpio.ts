/** One file or directory of an initramfs; owner and times are 0. */
export interface CpioEntry {
  /** Relative to the root, without a leading slash. Parent directories come before. */
  path: string;
  /** Type and permission bits, as in st_mode. */
  mode: number;
  content?: Uint8Array | string;
}

const trailer: CpioEntry = { path: "TRAILER!!!", mode: 0 };

/**
 * A cpio archive in the "newc" format that the kernel unpacks; archives may follow one another in one initrd
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
export function cpio(entries: CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [index, { path, mode, content = "" }] of [...entries, trailer].entries()) {
    const body = Buffer.from(content);
    const name = Buffer.from(`${path}\0`);
    const fields = [index + 1, mode, 0, 0, 1, 0, body.length, 0, 0, 0, 0, name.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
    parts.push(header, name, padding(header.length + name.length), body, padding(body.length));
  }
  return Buffer.concat(parts);
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}

export function directory(path: string): CpioEntry {
  return { path, mode: 0o040755 };
}

export function executable(path: string, content: Uint8Array | string): CpioEntry {
  return { path, mode: 0o100755, content };
}

export function file(path: string, content: Uint8Array | string): CpioEntry {
  return { path, mode: 0o100644, content };
}
