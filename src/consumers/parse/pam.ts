import { DEFAULT_SEPARATORS, type Separators } from "./access.ts";

/** What a service tells pam_access(8). */
export interface PamAccess {
  /** `accessfile=`, else the default. */
  readonly file: string;
  readonly separators: Separators;
}

export const DEFAULT_ACCESS_FILE = "/etc/security/access.conf";
/** Read after the default file, in order of their names, and like it. */
export const ACCESS_DIRECTORY = /\/security\/access\.d\/[^/]+\.conf$/;

/** Every line of a file of pam.d(5) that calls pam_access. */
export function parsePamAccess(text: string): PamAccess[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => words(line.replace(/#.*$/, "")))
    .filter((line) => line.slice(0, 4).some((word) => /(?:^|\/)pam_access\.so$/.test(word)))
    .map((line) => {
      const option = (name: string) => line.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
      return {
        file: option("accessfile") ?? DEFAULT_ACCESS_FILE,
        separators: {
          field: option("fieldsep") ?? DEFAULT_SEPARATORS.field,
          list: option("listsep") ?? DEFAULT_SEPARATORS.list,
        },
      };
    });
}

/** Words, and what stands in brackets as one word without them (libpam/pam_misc.c, _pam_tokenize). */
function words(line: string): string[] {
  return [...line.matchAll(/\[((?:\\\]|[^\]])*)\]?|[^ \t]+/g)].map(([word, inner]) =>
    inner === undefined ? word : inner.replaceAll("\\]", "]"),
  );
}
