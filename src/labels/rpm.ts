import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.ts";
import { log } from "../log.ts";
import { pathBytes } from "../paths.ts";
import { type Query, readForeign, versionOf } from "../state/foreign.ts";
import { type Header, parseHeader } from "./rpm-header.ts";
import { aliases, type Shipped } from "./shipped.ts";

/** A file as a package that is installed has it. */
export interface Installed extends Shipped {
  /** When its package was, milliseconds since the epoch. */
  readonly installed: number;
}

/** Where the database is, below the root; the first that is there. */
const PLACES = ["var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"];

/** More packages than this do not ship one path: two versions, of several architectures. */
const MAX_PACKAGES = 8;

/** Some 130 bytes a file; rpm takes up to 256 MiB (headerMaxbytes in lib/header.c of rpm). Bytes. */
const MAX_HEADER = 1 << 26;

/** Headers kept: a package's files come one after the other, and each may be in its version before, too. */
const KEPT_HEADERS = 2;
/** Answers kept, and after how much time without a question nothing is; milliseconds. */
const KEPT_ANSWERS = 4096;
const KEPT_FOR = 10_000;

/**
 * hnum grows with each package that is installed. The plus keeps SQLite to the index of names: thousands of
 * packages may be in one directory, or have one name (12 ms for 20,000), and the other way takes the product.
 */
const FIND = `SELECT hnum AS package, idx AS "index" FROM Basenames
  WHERE key = CAST(? AS TEXT) AND +hnum IN (SELECT hnum FROM Dirnames WHERE key = CAST(? AS TEXT))
  ORDER BY hnum DESC LIMIT ${MAX_PACKAGES}`;
const HEADER = `SELECT blob FROM Packages WHERE hnum = ? AND length(blob) <= ${MAX_HEADER}`;

/**
 * rpm's database in SQLite (rpm 4.16 and later; lib/backend/sqlite.c of rpm): `Packages` has the
 * headers, `Basenames` and `Dirnames` say which of them have a name. A package comes into it when its
 * files are in place, and before the scriptlets that follow (rpmdbAdd in lib/psm.c of rpm).
 */
export class RpmDatabase {
  readonly #root: string;
  /** What the database says as it is now; it is asked many times about the files of one package. */
  readonly #headers = new Map<number, Header | undefined>();
  readonly #answers = new Map<string, readonly Installed[]>();
  #version = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param root what `/` means; free of symbolic links */
  constructor(root: string) {
    this.#root = root;
  }

  /** The file in the packages that ship it, the one that was installed last first; undefined if there is no database. */
  find(path: string): readonly Installed[] | undefined {
    const database = PLACES.map((place) => join(this.#root, place)).find((file) => existsSync(file));
    if (database === undefined) return undefined;
    const version = versionOf(database);
    if (version !== this.#version || this.#answers.size >= KEPT_ANSWERS) this.#forget();
    this.#version = version;
    this.#timer ??= setTimeout(() => this.#forget(), KEPT_FOR).unref();
    this.#timer.refresh();
    const known = this.#answers.get(path);
    if (known !== undefined) return known;
    const found = this.#ask(database, path);
    if (found !== undefined) this.#answers.set(path, found);
    return found ?? [];
  }

  #ask(database: string, path: string): readonly Installed[] | undefined {
    try {
      return readForeign(database, (query) => namesOf(path).flatMap((name) => this.#find(query, pathBytes(name))));
    } catch (error) {
      log.debug(`${database}: ${messageOf(error)}`); // being made anew, say
      return undefined;
    }
  }

  #find(query: Query, path: Buffer): Installed[] {
    const end = path.lastIndexOf("/") + 1;
    const rows = query<{ package: number; index: number }>(FIND, path.subarray(end), path.subarray(0, end));
    return rows.flatMap(({ package: id, index }) => {
      const header = this.#header(query, id);
      const file = header?.file(index);
      if (header?.algorithm === undefined || file === undefined) return [];
      // another directory's file has the same name; without digest: a link, or what is nobody's content (%ghost)
      if (file.path !== path.toString("latin1") || file.digest === "") return [];
      const { name, version, algorithm, installed } = header;
      return [{ name, version, algorithm, digest: file.digest, installed: installed * 1000 }];
    });
  }

  #header(query: Query, id: number): Header | undefined {
    if (!this.#headers.has(id)) {
      const [row] = query<{ blob: Uint8Array }>(HEADER, id);
      for (const old of [...this.#headers.keys()].slice(0, -KEPT_HEADERS + 1)) this.#headers.delete(old);
      this.#headers.set(id, row && parseHeader(row.blob));
    }
    return this.#headers.get(id);
  }

  #forget(): void {
    this.#headers.clear();
    this.#answers.clear();
  }
}

/** Where a file goes that rpm has unpacked beside its place, under its name and the number of the transaction. */
export const placeOf = (path: string): string => path.replace(/;[0-9a-f]{8}$/, "");

/** What a package may call a file that is on its way to its name, or was put beside one that somebody changed. */
const namesOf = (path: string): string[] => aliases(placeOf(path).replace(/\.rpmnew$/, ""));
