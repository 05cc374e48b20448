import type { Algorithm } from "./shipped.ts";

/** What the header of a package says of it and of its files. */
export interface Header {
  readonly name: string;
  /** As rpm shows it: `EPOCH:VERSION-RELEASE`, without the epoch if there is none. */
  readonly version: string;
  /** Seconds since the epoch; 0: not known. */
  readonly installed: number;
  /** undefined where the digests are of a kind that is not known. */
  readonly algorithm: Algorithm | undefined;
  /** The path, in bytes as latin1 has them, and the digest of one of its files, which is "" for what has no content. */
  file(index: number): { readonly path: string; readonly digest: string } | undefined;
}

/** Numbers of rpm's tags (include/rpm/rpmtag.h of rpm). */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  installTime: 1008,
  fileDigests: 1035,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  digestAlgorithm: 5011,
} as const;

const KNOWN: ReadonlySet<number> = new Set(Object.values(TAG));

/** Of values; other types are of no interest here (include/rpm/rpmtypes.h of rpm). */
const INT32 = 4;
const STRINGS: ReadonlySet<number> = new Set([6, 8, 9]);

/** By OpenPGP's numbers (RFC 9580, 9.5). */
const ALGORITHMS: Readonly<Record<number, Algorithm>> = {
  ...{ 1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224", 12: "sha3-256", 14: "sha3-512" },
};
const MD5 = 1;

/** Sizes in bytes: of the two counts that come first, and of an entry of the index. */
const INTRO = 8;
const ENTRY = 16;
/** No header has more entries (HEADER_TAGS_MAX in lib/header.c of rpm). */
const MAX_ENTRIES = 0xffff;

/**
 * Pure. Reads a header as rpm's database has it: the number of entries of the index and of bytes of
 * data, the index (tag, type, offset, count), the data. All numbers are big endian. undefined for
 * what is no header of a package.
 */
export function parseHeader(blob: Uint8Array): Header | undefined {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  const values = valuesOf(bytes);
  const text = (tag: number) => values.strings(tag, 1)[0];
  const [name, version, release] = [TAG.name, TAG.version, TAG.release].map(text);
  if (name === undefined || version === undefined || release === undefined) return undefined;
  const epoch = values.number(TAG.epoch, 0);
  const baseNames = values.strings(TAG.baseNames);
  const directories = values.strings(TAG.directoryNames);
  const digests = values.strings(TAG.fileDigests);
  return {
    name: utf8(name),
    version: utf8(`${epoch === undefined ? "" : `${epoch}:`}${version}-${release}`),
    installed: values.number(TAG.installTime, 0) ?? 0,
    algorithm: ALGORITHMS[values.number(TAG.digestAlgorithm, 0) ?? MD5],
    file: (index) => {
      const [base, digest] = [baseNames[index], digests[index]];
      if (base === undefined || digest === undefined) return undefined;
      const directory = directories[values.number(TAG.directoryIndexes, index) ?? -1];
      return directory === undefined ? undefined : { path: directory + base, digest };
    },
  };
}

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** What the index leads to; nothing, where it leads out of the data. */
function valuesOf(bytes: Buffer) {
  const entries = indexOf(bytes);
  const data = bytes.subarray(INTRO + ENTRY * (bytes.length < INTRO ? 0 : bytes.readUInt32BE(0)));
  return {
    number(tag: number, index: number): number | undefined {
      const entry = entries.get(tag);
      if (entry?.type !== INT32 || index >= entry.count) return undefined;
      const at = entry.offset + 4 * index;
      return at + 4 > data.length ? undefined : data.readUInt32BE(at);
    },
    /** Each ends with a NUL. */
    strings(tag: number, limit = Infinity): string[] {
      const entry = entries.get(tag);
      if (entry === undefined || !STRINGS.has(entry.type)) return [];
      const count = Math.min(entry.count, limit);
      let end = entry.offset - 1;
      let found = 0;
      for (; found < count; found++) {
        const next = data.indexOf(0, end + 1);
        if (next < 0) break;
        end = next;
      }
      return found === 0 ? [] : data.toString("latin1", entry.offset, end).split("\0");
    },
  };
}

function indexOf(bytes: Buffer): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  const count = bytes.length < INTRO ? 0 : bytes.readUInt32BE(0);
  if (count > MAX_ENTRIES || INTRO + ENTRY * count > bytes.length) return entries;
  for (let at = INTRO; at < INTRO + ENTRY * count; at += ENTRY) {
    const tag = bytes.readUInt32BE(at);
    if (!KNOWN.has(tag)) continue;
    const [type, offset, values] = [4, 8, 12].map((field) => bytes.readUInt32BE(at + field)) as [
      number,
      number,
      number,
    ];
    // what was changed when the package was installed comes again, after the original
    entries.set(tag, { type, offset, count: values });
  }
  return entries;
}

const utf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString();
