--@schema
CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b int);
CREATE TABLE other (id bigint PRIMARY KEY, a int);
CREATE PUBLICATION pub FOR TABLE t;
CREATE VIEW v AS SELECT id FROM other;
CREATE FUNCTION norm(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower(x); END $$;
CREATE FUNCTION plain(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower(x); END $$;
CREATE TABLE w (id bigint PRIMARY KEY, c text);
CREATE INDEX w_norm ON w (norm(c));

--! each break/rename-table
ALTER TABLE t RENAME TO u;
ALTER TABLE IF EXISTS s.t RENAME TO u;
ALTER VIEW v RENAME TO w2;
ALTER MATERIALIZED VIEW m RENAME TO w2;
--! each safe
ALTER INDEX i RENAME TO j;
ALTER SEQUENCE s RENAME TO r;
ALTER TABLE t RENAME CONSTRAINT c TO d;
CREATE TABLE n (a int); ALTER TABLE n RENAME TO m;
--! each break/rename-column
ALTER TABLE t RENAME COLUMN a TO z;
ALTER TABLE t RENAME a TO z;
ALTER TYPE ty RENAME ATTRIBUTE a TO z;
--! each safe
CREATE TABLE n (a int); ALTER TABLE n RENAME COLUMN a TO b;
--! each break/rename-other
ALTER SCHEMA s RENAME TO r;
ALTER TYPE e RENAME TO f;
ALTER TYPE e RENAME VALUE 'a' TO 'b';
ALTER FUNCTION f(int) RENAME TO g;
--! each safe
ALTER TYPE e ADD VALUE 'b';
ALTER ROLE a RENAME TO b;
--! each break/drop-column
ALTER TABLE t DROP COLUMN a;
ALTER TABLE t DROP a, DROP b;
--! each safe
CREATE TABLE n (a int, b int); ALTER TABLE n DROP COLUMN b;
--! each break/drop-not-null
ALTER TABLE t ALTER COLUMN a DROP NOT NULL;
--! each safe
CREATE TABLE n (a int NOT NULL); ALTER TABLE n ALTER a DROP NOT NULL;
--! each break/moves-schema
ALTER TABLE t SET SCHEMA s;
ALTER VIEW v SET SCHEMA s;
--! each safe
CREATE TABLE n (a int); ALTER TABLE n SET SCHEMA s;
ALTER EXTENSION x SET SCHEMA s;
--! each break/drop-view
DROP VIEW v;
DROP MATERIALIZED VIEW IF EXISTS m;
--! each safe
CREATE VIEW n AS SELECT 1 AS a; DROP VIEW n;
CREATE OR REPLACE VIEW v AS SELECT 1 AS a;
--! each safe +schema
DROP VIEW IF EXISTS no_such_view;
--! each break/drop-routine
DROP FUNCTION f(int);
DROP PROCEDURE p;
DROP TYPE e;
DROP DOMAIN d;
--! each safe
DROP TRIGGER g ON t;
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';

--! each break/published-table +schema
ALTER TABLE t ADD COLUMN z int;
--! each break/published-table break/drop-column +schema
ALTER TABLE t DROP COLUMN b;
--! each break/published-table break/rename-column +schema
ALTER TABLE t RENAME COLUMN b TO z;
--! each safe +schema
ALTER TABLE other ADD COLUMN z int;
ALTER TABLE t ALTER b SET DEFAULT 1;
CREATE INDEX CONCURRENTLY i ON t (b);

--! each data/replaces-indexed-function +schema
CREATE OR REPLACE FUNCTION norm(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN upper(x); END $$;
--! each break/function-becomes-volatile +schema
CREATE OR REPLACE FUNCTION plain(x text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN upper(x); END $$;
CREATE OR REPLACE FUNCTION plain(x text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN upper(x); END $$;
--! each safe +schema
CREATE OR REPLACE FUNCTION plain(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN upper(x); END $$;
CREATE OR REPLACE FUNCTION fresh(x text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN upper(x); END $$;

--! each sql/no-such-table +schema
ALTER TABLE no_such ADD COLUMN z int;
CREATE INDEX CONCURRENTLY i ON no_such (a);
UPDATE no_such SET a = 1 WHERE id = 1;
INSERT INTO no_such (a) VALUES (1);
ALTER SEQUENCE no_such OWNED BY NONE;
--! each sql/no-such-column +schema
ALTER TABLE other ALTER COLUMN zzz SET DEFAULT 1;
CREATE INDEX CONCURRENTLY i ON other (zzz);
--! each break/rename-column sql/no-such-column +schema
ALTER TABLE other RENAME COLUMN zzz TO y;
--! each break/drop-column sql/no-such-column +schema
ALTER TABLE other DROP COLUMN zzz;
--! each sql/already-there +schema
CREATE TABLE other (id bigint PRIMARY KEY);
ALTER TABLE other ADD COLUMN a int;
CREATE INDEX CONCURRENTLY w_norm ON other (a);
--! each safe +schema
DO $$ BEGIN IF to_regclass('other') IS NULL THEN CREATE TABLE other (id bigint PRIMARY KEY); END IF; END $$;
ALTER TABLE IF EXISTS no_such ADD COLUMN z int;
ALTER TABLE other ADD COLUMN zzz int; ALTER TABLE other ALTER COLUMN zzz SET DEFAULT 1;
ALTER TABLE other ADD COLUMN zzz int, ALTER COLUMN zzz SET DEFAULT 1;
CREATE TABLE fresh (id bigint PRIMARY KEY); INSERT INTO fresh (id) VALUES (1);
CREATE TEMP TABLE other (a int);
ALTER SEQUENCE IF EXISTS no_such OWNED BY NONE;
UPDATE pg_catalog.pg_class SET relname = 'x' WHERE oid = 1;
WITH c AS (SELECT 1 AS a) SELECT a FROM c;
--! each data/drop-table sql/refused-by-dependents +schema
DROP TABLE other;

--! each version/not-in-this-server @13-14
CREATE UNIQUE INDEX CONCURRENTLY i ON t (a) NULLS NOT DISTINCT;
MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DO NOTHING;
CREATE VIEW n WITH (security_invoker = true) AS SELECT 1 AS a;
--! each safe @15-18
CREATE UNIQUE INDEX CONCURRENTLY i ON t (a) NULLS NOT DISTINCT;
MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DO NOTHING;
CREATE VIEW n WITH (security_invoker = true) AS SELECT 1 AS a;
--! each version/not-in-this-server @13
ALTER TABLE t ALTER a SET COMPRESSION lz4;
--! each safe @14-18
ALTER TABLE t ALTER a SET COMPRESSION lz4;

--! each sql/syntax
ALTER TABEL t ADD COLUMN a int;
ALTER TABLE t ADD COLUM a int;
DROP TABEL t;
ALTER TABLE t ADD COLUMN c int ALTER TABLE t ADD COLUMN d int;
UPDATE t SET a = 'x WHERE id = 1;
--! each sql/syntax @13-15
UPDATE t SET a = 1 WHERE id = 1 LIMIT 5;
--! each sql/not-analysed @16-18
SELECT * FROM GRAPH_TABLE (g MATCH (a) COLUMNS (a.id));
--! each version/not-in-this-server @13-16
SELECT * FROM t, JSON_TABLE(t.b, '$' COLUMNS (x int PATH '$.x'));
MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED BY SOURCE THEN DO NOTHING;
--! each version/not-in-this-server @13-15
SELECT JSON_OBJECT('a': t.a) FROM t;
--! each safe @17-18
SELECT * FROM t, JSON_TABLE(t.b, '$' COLUMNS (x int PATH '$.x'));
SELECT JSON_OBJECT('a': t.a) FROM t;
--! each version/not-in-this-server @13-17
ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
ALTER TABLE t ADD COLUMN v int GENERATED ALWAYS AS (a + 1) VIRTUAL;
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;
--! each safe @18
ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
ALTER TABLE t ADD COLUMN v int GENERATED ALWAYS AS (a + 1) VIRTUAL;
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;
