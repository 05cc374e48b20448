import type { Database, SQLQueryBindings } from "bun:sqlite";

/** A prepared statement whose integers are bigints: beyond 2^53 numbers would be rounded. */
export function prepare<Row, Parameters extends SQLQueryBindings[] = []>(database: Database, sql: string) {
  return database.prepare<Row, Parameters>(sql).safeIntegers(true);
}
