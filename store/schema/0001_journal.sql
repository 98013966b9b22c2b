-- Times are milliseconds since 1970 in UTC. Empty text means "none"; no column is ever NULL.

-- Who this store is. Targets remember the id, so that a swapped store is noticed.
CREATE TABLE store (
  only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
  id         TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

INSERT INTO store VALUES (1, 'store_' || lower(hex(randomblob(6))), unixepoch() * 1000);

-- Plans by the digest of their canonical form.
CREATE TABLE plan (
  digest    TEXT    NOT NULL UNIQUE,
  name      TEXT    NOT NULL,
  title     TEXT    NOT NULL,
  canonical TEXT    NOT NULL,
  stored_at INTEGER NOT NULL,
  actor     TEXT    NOT NULL
) STRICT;

CREATE INDEX plan_by_age ON plan (stored_at, digest);

CREATE TRIGGER plan_stays BEFORE UPDATE ON plan
BEGIN
  SELECT RAISE(ABORT, 'a stored plan never changes');
END;

-- The facts. `hash` covers the row and the hash before it in the same run.
CREATE TABLE event (
  run    TEXT    NOT NULL,
  seq    INTEGER NOT NULL CHECK (seq > 0),
  at     INTEGER NOT NULL,
  kind   TEXT    NOT NULL,
  actor  TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  body   TEXT    NOT NULL,
  hash   TEXT    NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_stays BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'a recorded event never changes');
END;

CREATE TRIGGER event_remains BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'a recorded event is never deleted');
END;

-- One line per run for lists. Made from events in the same commit; nothing is decided from it.
CREATE TABLE run (
  id         TEXT    NOT NULL UNIQUE,
  plan       TEXT    NOT NULL REFERENCES plan (digest),
  plan_name  TEXT    NOT NULL,
  target     TEXT    NOT NULL,
  state      TEXT    NOT NULL,
  direction  TEXT    NOT NULL,
  phase      TEXT    NOT NULL,
  step       TEXT    NOT NULL,
  message    TEXT    NOT NULL,
  created_by TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  final      INTEGER NOT NULL CHECK (final IN (0, 1))
) STRICT;

CREATE INDEX run_by_age ON run (created_at, id);
CREATE INDEX run_unfinished ON run (target) WHERE final = 0;

-- What a schema fingerprint stands for, to show a difference.
CREATE TABLE fingerprint (
  digest TEXT NOT NULL UNIQUE,
  body   TEXT NOT NULL
) STRICT;
