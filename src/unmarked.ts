/** Hashes of crypt(5) that begin with no `$id$`. A field that is one of these shapes may hold one. */
export const UNMARKED_SCHEMES = {
  des: /^[./0-9A-Za-z]{13}$/,
  bsdi: /^_[./0-9A-Za-z]{19}$/,
  bigcrypt: /^[./0-9A-Za-z]{2}(?:[./0-9A-Za-z]{11}){2,16}$/,
} as const;

/**
 * A word of a text that has such a shape; not within something longer, such as base64 or the rest of a path
 * (`/tmp/build-Ab3dE9/log`), though a sentence may end after it.
 */
export const UNMARKED_WORD =
  /(?<![./0-9A-Za-z+_-])(?:_[./0-9A-Za-z]{19}|[./0-9A-Za-z]{2}(?:[./0-9A-Za-z]{11}){1,16})(?=\.?(?![./0-9A-Za-z+=_-]))/g;

/** 64 bits make 11 characters, of which the last has four bits only. */
const BLOCK_END = ".26AEIMQUYcgkosw";

/**
 * Whether a word that nothing marks as a hash is one: of the right length, with the right characters at
 * the ends of its blocks, and random. Of hashes one in 100 is missed.
 */
export function isUnmarkedHash(word: string): boolean {
  const { des, bsdi, bigcrypt } = UNMARKED_SCHEMES;
  const isBsdi = bsdi.test(word);
  if (!isBsdi && !des.test(word) && !bigcrypt.test(word)) return false;
  for (let end = isBsdi ? 19 : 12; end < word.length; end += 11) {
    if (!BLOCK_END.includes(word[end] ?? "")) return false;
  }
  return isRandom(word);
}

/** Capitals and small letters, and no words of them: `/usr/bin/Xorg` and `ListenAddress` are made of few. */
export function isRandom(text: string): boolean {
  if (!/[A-Z]/.test(text) || !/[a-z]/.test(text)) return false;
  const pieces = text.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
  return pieces.length * 4 >= text.length;
}
