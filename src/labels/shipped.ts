/** A file as a package ships it. */
export interface Shipped {
  /** Of the package. */
  readonly name: string;
  readonly version: string;
  /** Of the file's content, hexadecimal. */
  readonly digest: string;
  readonly algorithm: Algorithm;
}

/** What packages know their files by. */
export type Algorithm = "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "sha3-256" | "sha3-512";

/** Directories that are one with their namesake below /usr since usrmerge; packages ship either name. */
const MERGED = /^\/(usr\/)?((?:s?bin|lib(?:32|64|x32)?)\/.*)$/s;

/** Pure. What a package may call a file. */
export function aliases(path: string): string[] {
  const [, , rest] = MERGED.exec(path) ?? [];
  return rest === undefined ? [path] : [`/usr/${rest}`, `/${rest}`];
}
