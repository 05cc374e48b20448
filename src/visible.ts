/* What would steer a terminal, or turn its text around: C0, C1, marks of direction, separators of lines. */
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex
const STEERING_BUT_TABS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Halves of pairs. By itself, as it takes fifty times as long. */
const HALVES = /[\ud800-\udfff]/gu;

/** Text for a terminal: what would steer it is shown as its number instead. Whoever names a file may be the one who is looked for. */
export const visible = (text: string): string => shown(text, STEERING);

/** The same, but tabs stay. */
export const visibleWithTabs = (text: string): string => shown(text, STEERING_BUT_TABS);

/** JSON that a terminal can show, too: what would steer it and JSON may hold as it is, is escaped. */
export const toJson = (value: unknown): string => JSON.stringify(value).replace(STEERING, numbered);

function shown(text: string, steering: RegExp): string {
  const safe = text.replace(steering, numbered);
  if (safe.isWellFormed()) return safe;
  return safe.replace(HALVES, (half) => {
    const code = half.charCodeAt(0);
    // paths.ts: a byte that is not UTF-8
    return code >= 0xdc80 && code <= 0xdcff ? `\\x${(code - 0xdc00).toString(16)}` : numbered(half);
  });
}

const numbered = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
