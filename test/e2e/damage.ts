// What a disk does to a database.
import { closeSync, openSync, writeSync } from "node:fs";
import { Database } from "bun:sqlite";

/** Overwrites the page at the root of a table or index, which is read only when something asks for it. */
export function damagePage(database: string, name: string): void {
  using opened = new Database(database);
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
  const { rootpage } = opened.query<{ rootpage: number }, [string]>(sql).get(name)!;
  opened.close();
  const fd = openSync(database, "r+");
  writeSync(fd, Buffer.alloc(4096, "garbage!"), 0, 4096, (rootpage - 1) * 4096);
  closeSync(fd);
}
