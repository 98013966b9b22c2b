-- Who may reach the daemon. Of a token's secret only the SHA-256 is kept. A row stays when its token is revoked:
-- the record names principals, and a store that ever had a token never again serves somebody unknown.
CREATE TABLE token (
  id           TEXT    NOT NULL UNIQUE,
  hash         TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  principal    TEXT    NOT NULL,
  grants       TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  expires_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  revoked_at   INTEGER NOT NULL,
  revoked_by   TEXT    NOT NULL
) STRICT;
