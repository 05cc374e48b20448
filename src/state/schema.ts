/** In the file's header (PRAGMA application_id), so that another program's database is not taken for ours: "bpfi". */
export const APPLICATION_ID = 0x62706669;

/**
 * What brings a database from version n to n + 1; its version is in the header (PRAGMA user_version).
 * Never change one that was released: append.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE secret (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
  ) STRICT;

  -- What each file was when it was last looked at: JSON, without secrets.
  CREATE TABLE state (
    path  TEXT PRIMARY KEY,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The outbox: lines as they are printed. A sequence number is never used twice.
  CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    line      TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered IN (0, 1))
  ) STRICT;
  CREATE INDEX journal_outbox ON journal (seq) WHERE delivered = 0;
  `,
];
