--@schema
CREATE TABLE t (id bigint PRIMARY KEY, a int);
CREATE TABLE u (id bigint PRIMARY KEY, a int);

--! each transaction/cannot-run-inside
BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;
BEGIN; VACUUM t; COMMIT;
BEGIN; DROP INDEX CONCURRENTLY i; COMMIT;
BEGIN; REINDEX INDEX CONCURRENTLY i; COMMIT;
START TRANSACTION; CREATE DATABASE d; COMMIT;
--! each transaction/cannot-run-inside +tx
CREATE INDEX CONCURRENTLY i ON t (a);
VACUUM t;
--! each safe
CREATE INDEX CONCURRENTLY i ON t (a);
BEGIN; CREATE TABLE n (a int); COMMIT; CREATE INDEX CONCURRENTLY i ON t (a);
BEGIN; ALTER TYPE e ADD VALUE 'x'; COMMIT;
BEGIN; REFRESH MATERIALIZED VIEW CONCURRENTLY mv; COMMIT;
--! each safe +tx
CREATE TABLE n (a int); CREATE INDEX i ON n (a);
ALTER TABLE t ADD COLUMN z int;

--! each transaction/nested
BEGIN; ALTER TABLE t ADD COLUMN z int; BEGIN; COMMIT;
--! each transaction/nested transaction/ends-the-tools +tx
BEGIN; ALTER TABLE t ADD COLUMN z int; COMMIT;
--! each transaction/ends-the-tools +tx
ALTER TABLE t ADD COLUMN z int; COMMIT;
--! each transaction/without-begin
ALTER TABLE t ADD COLUMN z int; COMMIT;
ROLLBACK;
--! each transaction/not-committed
BEGIN; ALTER TABLE t ADD COLUMN z int;
START TRANSACTION; SELECT 1;
--! each safe
BEGIN; ALTER TABLE t ADD COLUMN z int; COMMIT;
BEGIN; SAVEPOINT s; ALTER TABLE t ADD COLUMN z int; RELEASE s; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; END;
BEGIN; ALTER TABLE t ADD COLUMN z int; ROLLBACK;

--! each lock/create-index-not-concurrent transaction/work-under-lock
BEGIN; ALTER TABLE t ADD COLUMN z int; CREATE INDEX i ON t (z); COMMIT;
--! each lock/add-constraint-without-not-valid transaction/work-under-lock +tx
ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD CONSTRAINT c CHECK (z > 0);
--! each safe
BEGIN; ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD COLUMN y int; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; COMMENT ON COLUMN t.z IS 'z'; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; COMMIT; BEGIN; ALTER TABLE t VALIDATE CONSTRAINT c; COMMIT;
BEGIN; CREATE TABLE n (a int); CREATE INDEX i ON n (a); COMMIT;

--! each data/rows-and-schema-together
BEGIN; ALTER TABLE t ADD COLUMN z int; UPDATE t SET z = 1 WHERE id = 7; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; DELETE FROM u WHERE id = 7; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; INSERT INTO u (id) SELECT id FROM t WHERE id < 10; COMMIT;
--! each data/rows-and-schema-together data/update-without-backfill +tx
ALTER TABLE t ADD COLUMN z int; UPDATE t SET z = 1;
--! each safe
ALTER TABLE t ADD COLUMN z int; UPDATE t SET z = 1 WHERE id = 7;
BEGIN; ALTER TABLE t ADD COLUMN z int; INSERT INTO log (what) VALUES ('z'); COMMIT;
BEGIN; CREATE TABLE n (a int); INSERT INTO n (a) SELECT 1; UPDATE n SET a = 2; COMMIT;
BEGIN; UPDATE t SET a = 1 WHERE id = 7; UPDATE u SET a = 1 WHERE id = 7; COMMIT;

--! each lock/two-tables-in-one-transaction
BEGIN; ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD COLUMN z int; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD CONSTRAINT c CHECK (a > 0) NOT VALID; COMMIT;
--! each lock/two-tables-in-one-transaction +tx
ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD COLUMN z int;
--! each lock/two-tables-in-one-transaction +schema +tx
ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD COLUMN z int;
--! each safe
ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD COLUMN z int;
BEGIN; ALTER TABLE t ADD COLUMN z int; COMMIT; BEGIN; ALTER TABLE u ADD COLUMN z int; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; CREATE TABLE n (a int); ALTER TABLE n ADD COLUMN b int; COMMIT;
BEGIN; ALTER TABLE t ADD COLUMN z int; SELECT 1 FROM u LIMIT 1; COMMIT;

--! each transaction/new-label-used
BEGIN; ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE id = 1; COMMIT;
BEGIN; ALTER TYPE e ADD VALUE 'x' AFTER 'w'; INSERT INTO t (a) VALUES ('x'); COMMIT;
--! each safe
ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE id = 1;
BEGIN; ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'w' WHERE id = 1; COMMIT;
BEGIN; ALTER TYPE e ADD VALUE 'x'; ALTER TYPE e ADD VALUE 'y' AFTER 'x'; COMMIT;

--! each session/no-lock-timeout +timeouts
ALTER TABLE t ADD COLUMN z int;
SET lock_timeout = 0; ALTER TABLE t ADD COLUMN z int;
SET statement_timeout = '5s'; ALTER TABLE t ADD COLUMN z int;
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u NOT VALID;
--! each safe +timeouts
SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN z int;
SET LOCAL lock_timeout = 2000; ALTER TABLE t ADD COLUMN z int;
SET lock_timeout TO '500ms'; ALTER TABLE t ADD COLUMN z int; ALTER TABLE u ADD COLUMN z int;
CREATE INDEX CONCURRENTLY i ON t (a);
ALTER TABLE t VALIDATE CONSTRAINT c;
CREATE TABLE n (a int);
SELECT count(*) FROM t;
UPDATE t SET a = 1 WHERE id = 7;

--! each session/short-timeout-on-build
SET lock_timeout = '2s'; CREATE INDEX CONCURRENTLY i ON t (a);
SET statement_timeout = '30s'; CREATE INDEX CONCURRENTLY i ON t (a);
SET lock_timeout = 5000; REINDEX INDEX CONCURRENTLY i;
--! each safe
SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a);
SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN z int; SET lock_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a);
SET lock_timeout = '2s'; RESET lock_timeout; CREATE INDEX CONCURRENTLY i ON t (a);
SET statement_timeout = '1h'; CREATE INDEX CONCURRENTLY i ON t (a);
--! each session/timeout-switched-off +all
SET lock_timeout = 0;
--! each safe +all
SET lock_timeout = '2s';

--! each session/replication-role
SET session_replication_role = replica;
SET LOCAL session_replication_role = 'replica';
--! each safe
SET session_replication_role = origin;
RESET session_replication_role;
--! each session/alter-system
ALTER SYSTEM SET work_mem = '1GB';
--! each session/changes-runbookd-schema
UPDATE runbookd.marker SET attempt = 2 WHERE attempt = 1;
DO $$ BEGIN DELETE FROM runbookd.marker WHERE attempt = 1; END $$;
--! each safe
UPDATE app.runbookd SET a = 1 WHERE b;
SELECT * FROM runbookd.marker;
SET search_path = app;
SET LOCAL work_mem = '1GB';
ALTER ROLE app SET lock_timeout = '2s';

--! each transaction/prepared
BEGIN; UPDATE t SET a = 1 WHERE id = 7; PREPARE TRANSACTION 'x';

--! each security/uncovers-rows
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
DROP POLICY p ON t;
--! each security/powers-of-a-role
ALTER ROLE app SUPERUSER;
CREATE ROLE app BYPASSRLS;
--! each break/revokes-rights
REVOKE SELECT ON t FROM app;
REVOKE ALL ON ALL TABLES IN SCHEMA s FROM app;
--! each break/stops-replication
ALTER TABLE t REPLICA IDENTITY NOTHING;
DROP PUBLICATION p;
--! each safe
CREATE TABLE n (a int); ALTER TABLE n DISABLE ROW LEVEL SECURITY;
CREATE ROLE app LOGIN;
ALTER ROLE app NOSUPERUSER;
CREATE TABLE n (a int); REVOKE ALL ON n FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC;
ALTER TABLE t REPLICA IDENTITY FULL;
