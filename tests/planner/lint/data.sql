--@schema
CREATE TABLE big (id bigint PRIMARY KEY, email text UNIQUE, a int, state text);
CREATE TABLE copy_of (id bigint PRIMARY KEY, a int);
--@size big 5000000 20000000000
CREATE TABLE tiny (id bigint PRIMARY KEY, a int);
--@size tiny 20 8192

--! each data/update-without-backfill
UPDATE t SET a = 1;
DELETE FROM t;
UPDATE t SET a = 1 WHERE true;
UPDATE t SET a = 1 WHERE 1 = 1;
UPDATE t SET a = 1 WHERE id = id;
DELETE FROM t WHERE true OR id = 7;
DO $$ BEGIN UPDATE t SET a = 1; END $$;
WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone;
EXPLAIN ANALYZE DELETE FROM t;
DO $$ BEGIN LOOP UPDATE t SET a = 1 WHERE b; EXIT WHEN NOT FOUND; END LOOP; END $$;
--! each safe
UPDATE t SET a = 1 WHERE id = 7;
DELETE FROM t WHERE id = 7;
CREATE TEMP TABLE n AS SELECT 1 AS a; UPDATE n SET a = 2;
CREATE TABLE n (a int); DELETE FROM n;
DO $$ BEGIN UPDATE t SET a = 1 WHERE b; END $$;
DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM t LOOP PERFORM f(r.id); END LOOP; END $$;
UPDATE t SET a = 1 WHERE a = 1;
EXPLAIN DELETE FROM t;
WITH gone AS (DELETE FROM t WHERE id = 7 RETURNING *) SELECT count(*) FROM gone;
INSERT INTO t (a) VALUES (1), (2);

--! each data/update-without-backfill +schema
UPDATE big SET a = 1;
UPDATE big SET a = 1 WHERE id IS NOT NULL;
--! each data/many-rows-at-once +schema
UPDATE big SET a = 1 WHERE state = 'new';
DELETE FROM big WHERE id < 100000;
UPDATE big SET a = 1 WHERE a IS NULL;
--! each safe +schema
UPDATE big SET a = 1 WHERE id = 7;
UPDATE big SET a = 1 WHERE id IN (1, 2, 3);
DELETE FROM big WHERE email = 'x@example.org';
UPDATE tiny SET a = 1 WHERE a IS NULL;

--! each data/copies-large-table +schema
INSERT INTO copy_of (id, a) SELECT id, a FROM big;
CREATE TABLE n AS SELECT * FROM big;
--! each safe +schema
INSERT INTO copy_of (id, a) SELECT id, a FROM tiny;
CREATE TABLE n AS SELECT * FROM tiny;
INSERT INTO copy_of (id, a) VALUES (1, 2);

--! each data/insert-without-columns
INSERT INTO t VALUES (1, 2);
INSERT INTO t SELECT 1, 2;
--! each safe
INSERT INTO t (a, b) VALUES (1, 2);
INSERT INTO t DEFAULT VALUES;
CREATE TABLE n (a int); INSERT INTO n VALUES (1);

--! each sql/column-assigned-twice
UPDATE t SET a = 1, a = 2 WHERE id = 7;
UPDATE t SET (a, b) = (1, 2), a = 3 WHERE id = 7;
INSERT INTO t (a, b, a) VALUES (1, 2, 3);
--! each safe
UPDATE t SET a = 1, b = 2 WHERE id = 7;
UPDATE t SET a[1] = 1, a[2] = 2 WHERE id = 7;
UPDATE t SET (a, b) = (SELECT 1, 2) WHERE id = 7;

--! each data/restarts-sequence
ALTER SEQUENCE s RESTART;
ALTER SEQUENCE s RESTART WITH 1;
--! each safe
ALTER SEQUENCE s INCREMENT 10;
CREATE SEQUENCE s; ALTER SEQUENCE s RESTART WITH 100;

--! each data/disables-trigger
ALTER TABLE t DISABLE TRIGGER ALL;
ALTER TABLE t DISABLE TRIGGER USER;
ALTER TABLE t DISABLE TRIGGER g;
--! each safe
ALTER TABLE t ENABLE TRIGGER g;
CREATE TABLE n (a int); ALTER TABLE n DISABLE TRIGGER ALL;

--! each security/row-security-without-policy
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
--! each safe
CREATE POLICY p ON t USING (true); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE TABLE n (a int); ALTER TABLE n ENABLE ROW LEVEL SECURITY;
--! each security/grants-to-public
GRANT ALL ON t TO PUBLIC;
GRANT SELECT, INSERT ON t TO PUBLIC;
GRANT UPDATE (a) ON t TO app, PUBLIC;
--! each safe
GRANT SELECT ON t TO PUBLIC;
GRANT ALL ON t TO app;
GRANT USAGE ON SCHEMA s TO PUBLIC;
REVOKE ALL ON t FROM PUBLIC;
--! each security/definer-without-search-path
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
--! each safe
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1';
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'SELECT 1';
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';

--! each sql/dynamic
DO $$ BEGIN EXECUTE 'SELECT 1'; END $$;
--! each safe
DO $$ BEGIN PERFORM 1; END $$;
DO $$ BEGIN PERFORM 1; /* EXECUTE nothing */ END $$;

--! safe
-- runbookd:ignore lock/create-index-not-concurrent: the table has ten rows
CREATE INDEX i ON t (a);

--! safe
CREATE INDEX i -- runbookd:ignore lock/create-index-not-concurrent: the table has ten rows
ON t (a);

--! safe
/* runbookd:ignore lock/create-index-not-concurrent: the table has ten rows */
CREATE INDEX i ON t (a);

--! lock/create-index-not-concurrent
-- runbookd:ignore lock/create-index-not-concurrent: the table has ten rows
CREATE INDEX i ON t (a);
CREATE INDEX j ON t (b);

--! lock/create-index-not-concurrent lint/ignored-without-reason
-- runbookd:ignore lock/create-index-not-concurrent
CREATE INDEX i ON t (a);

--! lint/unused-acknowledgement
-- runbookd:ignore lock/create-index-not-concurrent: the table has ten rows
CREATE INDEX CONCURRENTLY i ON t (a);

--! lint/unused-acknowledgement lock/create-index-not-concurrent
-- runbookd:ignore lock/rewrites-table: the table has ten rows
CREATE INDEX i ON t (a);

--! each data/rule-swallows-writes
CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING;
--! each safe
CREATE RULE r AS ON DELETE TO t WHERE OLD.a < 0 DO INSTEAD NOTHING;
CREATE TABLE n (a int); CREATE RULE r AS ON INSERT TO n DO INSTEAD NOTHING;
