-- Brakes on all runs. The one that stands has not ended; a row stays for good.
CREATE TABLE hold (
  id       INTEGER PRIMARY KEY,
  reason   TEXT    NOT NULL,
  set_by   TEXT    NOT NULL,
  set_at   INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  ended_by TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX hold_stands ON hold (ended_at) WHERE ended_at = 0;
