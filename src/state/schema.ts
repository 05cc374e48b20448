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
  `
  -- The chain's head, the last line ever made; and its anchor, the last one that is no longer kept.
  CREATE TABLE chain (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    anchor_seq  INTEGER NOT NULL,
    anchor_hash TEXT NOT NULL,
    -- What the lines that are kept add up to.
    bytes       INTEGER NOT NULL
  ) STRICT;
  -- Lines that are there already stay as they were printed: the chain begins behind them.
  INSERT INTO chain
    SELECT 1, last, genesis, last, genesis, (SELECT coalesce(sum(octet_length(line)), 0) FROM journal)
    FROM (SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0) AS last,
                 printf('%064d', 0) AS genesis);
  CREATE INDEX journal_time ON journal (line ->> '$.time');
  `,
  `
  -- Changes that somebody said were to come; times in milliseconds since the epoch.
  CREATE TABLE expectation (
    id     INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    by     TEXT NOT NULL,
    paths  TEXT NOT NULL, -- JSON: paths and globs; none is all
    begins INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    ended  INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)), -- by somebody, before its time
    news   INTEGER NOT NULL DEFAULT 1 CHECK (news IN (0, 1)) -- no line tells of it yet
  ) STRICT;
  `,
];
