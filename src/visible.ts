/** What would steer a terminal, or turn its text around: C0, C1, marks of direction, separators of lines; and halves of pairs. */
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/** Text for a terminal: what would steer it is shown as its number instead. Whoever names a file may be the one who is looked for. */
export function visible(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = character.charCodeAt(0);
    // paths.ts: a byte that is not UTF-8
    return code >= 0xdc80 && code <= 0xdcff ? `\\x${(code - 0xdc00).toString(16)}` : numbered(code);
  });
}

/** The same, but tabs stay. */
export const visibleWithTabs = (text: string): string => text.replace(/[^\t]+/g, visible);

/** JSON that a terminal can show, too: what would steer it and JSON may hold as it is, is escaped. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(STEERING, (character) => numbered(character.charCodeAt(0)));

const numbered = (code: number): string => `\\u${code.toString(16).padStart(4, "0")}`;
