import { log } from "../log.ts";
import type { Exclusions } from "../watch/exclusions.ts";
import { type Revision, type Selection, select } from "../watch/selection.ts";
import { type KeyFiles, PASSWD, SSHD_CONFIG } from "./key-files.ts";

const NONE: KeyFiles = { owners: new Map(), sources: [PASSWD], notes: [] };

/**
 * What the user wants watched, and every user's SSH keys: which files those are, passwd and sshd_config
 * say, and they are followed. They are watched too, but reported only if the user wants that.
 */
export class HomesSelection implements Selection {
  readonly #own: Selection;
  readonly #exclude: readonly string[];
  readonly #find: () => KeyFiles | undefined;
  #found: KeyFiles = NONE;
  #sources: Selection;
  /** The key files, but for what is left out. */
  #files = new Set<string>();

  /** @param find where the keys are now; undefined while that cannot be known */
  constructor(own: Selection, exclude: readonly string[], find: () => KeyFiles | undefined) {
    this.#own = own;
    this.#exclude = exclude;
    this.#find = find;
    this.#sources = select([], []);
    this.revise();
  }

  get roots(): readonly string[] {
    return [...new Set([...this.#own.roots, ...this.#files, ...this.#sources.roots])];
  }

  get exclusions(): Exclusions {
    return this.#own.exclusions;
  }

  includes(path: string): boolean {
    return this.#own.includes(path) || this.#files.has(path) || this.#sources.includes(path);
  }

  names(path: string): boolean {
    return this.#own.names(path) || this.#files.has(path) || this.#isIncluded(path);
  }

  reports(path: string): boolean {
    return this.#own.reports(path) || this.#files.has(path) || this.#isIncluded(path);
  }

  /** Who wants sshd_config reported wants what it includes, too. */
  #isIncluded(path: string): boolean {
    return path !== PASSWD && this.#sources.reports(path) && this.#own.reports(SSHD_CONFIG);
  }

  owners(path: string): readonly string[] {
    return this.#found.owners.get(path) ?? [];
  }

  consumer(path: string): ReturnType<NonNullable<Selection["consumer"]>> {
    return this.#own.consumer?.(path);
  }

  decides(path: string): boolean {
    return this.#sources.includes(path);
  }

  revise(): Revision {
    const before = this.#found;
    const found = this.#find() ?? before;
    const rootsBefore = new Set(this.roots);
    this.#found = found;
    for (const note of found.notes) if (!before.notes.includes(note)) log.warn(note);
    this.#sources = select(found.sources, this.#exclude);
    const all = select(["/"], this.#exclude);
    this.#files = new Set([...found.owners.keys()].filter((path) => this.#files.has(path) || all.includes(path)));
    const rootsNow = new Set(this.roots);
    return {
      added: [...rootsNow].filter((path) => !rootsBefore.has(path)),
      removed: [...rootsBefore].filter((path) => !rootsNow.has(path) && !this.#own.includes(path)),
      changed: [...found.owners].flatMap(([path, owners]) => {
        const known = before.owners.get(path);
        return known !== undefined && known.join("\0") !== owners.join("\0") ? [path] : [];
      }),
    };
  }
}
