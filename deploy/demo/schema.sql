-- The example database: organisations own accounts, accounts have users.
BEGIN;

CREATE TABLE organisations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL,
  account_id bigint REFERENCES accounts (id),
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz
);

CREATE INDEX users_account_id_idx ON users (account_id);

COMMIT;
