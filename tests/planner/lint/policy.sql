--! each policy/varchar policy/schema-qualified +all
ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(20);
--! each policy/primary-key +all
CREATE TABLE IF NOT EXISTS s.n (a int);
--! each policy/schema-qualified +all
CREATE TABLE IF NOT EXISTS n (id bigint PRIMARY KEY);
CREATE INDEX CONCURRENTLY i ON t (a);
--! each policy/repeatable +all
CREATE SCHEMA s;
CREATE TABLE s.n (id bigint PRIMARY KEY);
ALTER TABLE s.t ADD COLUMN a int;
--! each policy/cascade-key policy/foreign-key index/foreign-key-without-index +all
CREATE TABLE IF NOT EXISTS s.n (id bigint PRIMARY KEY, u bigint REFERENCES s.u ON DELETE CASCADE);
--! each policy/foreign-key +all
ALTER TABLE s.t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s.u NOT VALID;
--! each policy/enumeration +all
CREATE TYPE e AS ENUM ('a', 'b');
--! each policy/label-order +all
ALTER TYPE e ADD VALUE 'c';
--! each policy/trigger +all
CREATE TRIGGER g BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f();
--! each policy/owner +all
ALTER TABLE s.t OWNER TO app;
ALTER SCHEMA s OWNER TO app;
SET ROLE app;
--! each policy/domain +all
CREATE DOMAIN d AS int CHECK (VALUE > 0);
--! each policy/statement-timeout +all +timeouts
SET lock_timeout = '1s'; ALTER TABLE s.t VALIDATE CONSTRAINT c;
--! each policy/unique-over-data +all
CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a);
--! each policy/default-changed +all
ALTER TABLE s.t ALTER a SET DEFAULT 2;
--! each safe +all
CREATE TABLE IF NOT EXISTS s.n (id bigint PRIMARY KEY, a text);
ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a text;
ALTER TYPE e ADD VALUE 'c' AFTER 'b';
CREATE DOMAIN d AS int;
CREATE INDEX CONCURRENTLY i ON s.t (a);
CREATE SCHEMA IF NOT EXISTS s;
CREATE TEMP TABLE IF NOT EXISTS n (a int);
SET lock_timeout = '1s';
--! each safe
ALTER TABLE t ADD COLUMN a varchar(20);
CREATE TABLE n (a int);
CREATE TYPE e AS ENUM ('a', 'b');
ALTER TYPE e ADD VALUE 'c';
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t OWNER TO app;
CREATE DOMAIN d AS int CHECK (VALUE > 0);
ALTER TABLE t ALTER a SET DEFAULT 2;
COMMENT ON TABLE t IS 'x';
CREATE EXTENSION IF NOT EXISTS pg_trgm;
ALTER TABLE t ALTER a SET STATISTICS 500;
ALTER TABLE t SET (autovacuum_vacuum_scale_factor = 0.01);
CREATE STATISTICS st ON a, b FROM t;
ALTER TABLE t REPLICA IDENTITY FULL;
CREATE POLICY p ON t USING (true);
ALTER SEQUENCE s OWNED BY t.a;
CREATE SEQUENCE s;
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO app;
ANALYZE t;
SELECT pg_sleep(0);
