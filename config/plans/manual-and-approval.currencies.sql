-- What finance starts with; it adds its own before the phase `enforce`.
CREATE TABLE currencies (
  code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
  name text NOT NULL
);

INSERT INTO currencies (code, name)
VALUES ('EUR', 'euro'), ('USD', 'US dollar'), ('GBP', 'pound sterling');
