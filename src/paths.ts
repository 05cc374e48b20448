import { isUtf8 } from "node:buffer";

/**
 * Paths as strings, without loss. Linux allows any bytes in a name but NUL and the slash; bytes that
 * are not UTF-8 become lone surrogates U+DC80 to U+DCFF, which no valid text has (PEP 383). In
 * JSON they are `\udc80` and so on.
 */
export function pathText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(buffer)) return buffer.toString();
  let text = "";
  for (let at = 0; at < buffer.length;) {
    const length = sequenceLength(buffer[at]!);
    const sequence = buffer.subarray(at, at + length);
    const valid = sequence.length === length && isUtf8(sequence);
    text += valid ? sequence.toString() : String.fromCharCode(0xdc00 + buffer[at]!);
    at += valid ? length : 1;
  }
  return text;
}

/** The bytes that pathText made the text from. */
export function pathBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat([...text].map(characterBytes));
}

function characterBytes(character: string): Buffer {
  const code = character.charCodeAt(0);
  const isByte = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
  return isByte ? Buffer.of(code - 0xdc00) : Buffer.from(character);
}

/** By the first byte (RFC 3629). */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** A name in a directory. node:path's join would lose what is not UTF-8. */
export function joinPath(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** The directory of an absolute path; "/" of itself. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The path, its directory, and so on up to `/`. */
export function selfAndAncestors(path: string): string[] {
  const paths = [path];
  for (let at = path; at !== "/";) paths.push((at = parentPath(at)));
  return paths;
}
