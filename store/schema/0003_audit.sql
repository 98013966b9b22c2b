-- What was asked of the daemon and what it decided, one row for each. `text` is the entry as it was written, and what
-- `hash` covers byte for byte, with the hash before it; the columns beside it repeat parts of it for searching.
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY CHECK (seq > 0),
  at      INTEGER NOT NULL,
  actor   TEXT    NOT NULL,
  action  TEXT    NOT NULL,
  outcome TEXT    NOT NULL,
  run     TEXT    NOT NULL,
  text    TEXT    NOT NULL,
  hash    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_run ON audit (run, seq) WHERE run <> '';
CREATE INDEX audit_by_actor ON audit (actor, seq);

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'an audit entry never changes');
END;

CREATE TRIGGER audit_remains BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'an audit entry is never deleted');
END;

-- Signed words on how long the audit is and what its last hash is.
CREATE TABLE checkpoint (
  entries INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  key     TEXT    NOT NULL,
  note    TEXT    NOT NULL
) STRICT;

CREATE TRIGGER checkpoint_stays BEFORE UPDATE ON checkpoint
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint never changes');
END;

CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint is never deleted');
END;

-- Answers to requests that carried an Idempotency-Key, for whoever asks again. Kept for a day.
CREATE TABLE answer (
  scope       TEXT    NOT NULL PRIMARY KEY,
  fingerprint TEXT    NOT NULL,
  at          INTEGER NOT NULL,
  status      INTEGER NOT NULL,
  headers     TEXT    NOT NULL,
  body        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answer_by_age ON answer (at);
