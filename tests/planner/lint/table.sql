--@schema
CREATE TABLE t (id bigint PRIMARY KEY, a int);
CREATE TABLE child (id bigint PRIMARY KEY, t_id bigint REFERENCES t);
CREATE INDEX child_t ON child (t_id);
CREATE TABLE alone (id bigint PRIMARY KEY, a int);
CREATE VIEW v AS SELECT a FROM alone;
CREATE TABLE part (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE rest (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE rest_default PARTITION OF rest DEFAULT;
CREATE TABLE loose (id bigint, day date);
CREATE TABLE proven (id bigint, day date, CHECK (day IS NOT NULL AND day >= '2027-01-01' AND day < '2028-01-01'));
CREATE SCHEMA bare;
CREATE SCHEMA full_one;
CREATE TABLE full_one.x (a int);

--! each lock/rewrites-table
VACUUM FULL t;
VACUUM (FULL) t;
CLUSTER t USING i;
ALTER TABLE t SET LOGGED; VACUUM FULL t;
ALTER TABLE t SET TABLESPACE fast;
--! each data/unlogged-table lock/rewrites-table
ALTER TABLE t SET UNLOGGED;
--! each safe
VACUUM t;
VACUUM (ANALYZE) t;
VACUUM (FULL false) t;
ANALYZE t;
ALTER SEQUENCE s SET UNLOGGED;
ALTER TABLE t SET (fillfactor = 80);
ALTER TABLE t CLUSTER ON i;
CREATE TABLE t (a int); ALTER TABLE t SET TABLESPACE fast;
--! each lock/rewrites-table +schema
VACUUM FULL t;
ALTER TABLE t SET TABLESPACE fast;
--! each safe +schema
ALTER TABLE t SET LOGGED;
ALTER TABLE t SET TABLESPACE pg_default;
ALTER TABLE part SET TABLESPACE fast;

--! each lock/rewrites-table @15-18
ALTER TABLE t SET ACCESS METHOD columnar;
--! each lock/rewrites-table version/not-in-this-server @13-14
ALTER TABLE t SET ACCESS METHOD columnar;

--! each lock/detach-not-concurrent
ALTER TABLE t DETACH PARTITION p;
--! each safe @14-18
ALTER TABLE t DETACH PARTITION p CONCURRENTLY;
ALTER TABLE t DETACH PARTITION p FINALIZE;
--! each version/not-in-this-server @13
ALTER TABLE t DETACH PARTITION p CONCURRENTLY;
ALTER TABLE t DETACH PARTITION p FINALIZE;

--! each lock/attach-reads-partition
ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (2);
ALTER TABLE t ATTACH PARTITION p DEFAULT;
--! each safe
ALTER TABLE p ADD CONSTRAINT c CHECK (a >= 1 AND a < 2 AND a IS NOT NULL) NOT VALID; ALTER TABLE p VALIDATE CONSTRAINT c; ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (2);
CREATE TABLE p (LIKE t INCLUDING ALL); ALTER TABLE t ATTACH PARTITION p FOR VALUES FROM (1) TO (2);
--! each lock/attach-reads-partition +schema
ALTER TABLE part ATTACH PARTITION loose FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--! each safe +schema
ALTER TABLE part ATTACH PARTITION proven FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');

--! each lock/create-partition-of lock/reads-default-partition +schema
CREATE TABLE rest_1 PARTITION OF rest FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--! each lock/reads-default-partition +schema
ALTER TABLE rest ATTACH PARTITION proven FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--! each lock/create-partition-of +schema
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--! each lock/create-partition-of
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1) TO (2);
--! each safe
CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1) TO (2);

--! each lock/explicit-lock
LOCK TABLE t;
LOCK TABLE t IN SHARE MODE;
LOCK TABLE t IN ACCESS EXCLUSIVE MODE NOWAIT;
--! each safe
LOCK TABLE t IN ROW EXCLUSIVE MODE;
LOCK TABLE t IN ACCESS SHARE MODE;
BEGIN; CREATE TABLE n (a int); LOCK TABLE n; COMMIT;

--! each data/truncate
TRUNCATE t;
TRUNCATE t, alone;
--! each data/truncate +schema
TRUNCATE alone;
--! each data/truncate data/truncate-cascade
TRUNCATE t CASCADE;
--! each data/truncate data/truncate-cascade +schema
TRUNCATE t CASCADE;
--! each data/truncate +schema
TRUNCATE alone CASCADE;
--! each data/truncate data/restarts-sequence
TRUNCATE t RESTART IDENTITY;
--! each safe
CREATE TEMP TABLE n (a int); TRUNCATE n;
CREATE TABLE n (a int); INSERT INTO n (a) VALUES (1); TRUNCATE n CASCADE;

--! each data/drop-cascade data/drop-table
DROP TABLE t CASCADE;
--! each break/drop-view data/drop-cascade
DROP VIEW v CASCADE;
--! each break/drop-column data/drop-cascade
ALTER TABLE t DROP COLUMN a CASCADE;
--! each break/drop-column data/drop-cascade +schema
ALTER TABLE alone DROP COLUMN a CASCADE;
--! each data/drop-table lock/drop-locks-others data/drop-cascade +schema
DROP TABLE t CASCADE;
--! each data/drop-table data/drop-cascade +schema
DROP TABLE alone CASCADE;
--! each data/drop-table +schema
DROP TABLE loose CASCADE;
DROP TABLE loose;
--! each data/drop-table lock/drop-locks-others +schema
DROP TABLE child;
DROP TABLE part_1;
--! each data/drop-table
DROP TABLE t;
DROP TABLE IF EXISTS s.t;
--! each safe
CREATE TEMP TABLE n (a int); DROP TABLE n;
CREATE TABLE n (a int); DROP TABLE n CASCADE;
CREATE TABLE n (a int); DROP TABLE IF EXISTS n;
--! each safe +schema
DROP TABLE IF EXISTS no_such_table;

--! each data/unlogged-table
CREATE UNLOGGED TABLE n (a int);
--! each safe
CREATE TABLE n (a int);
CREATE TEMP TABLE n (a int);

--! each data/create-does-nothing +schema
CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a int, z int);
CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a text);
--! each safe +schema
CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a int);
CREATE TABLE IF NOT EXISTS n (id bigint PRIMARY KEY);

--! each data/drop-schema
DROP SCHEMA s;
DROP SCHEMA s CASCADE;
--! each data/drop-schema +schema
DROP SCHEMA full_one CASCADE;
--! each safe +schema
DROP SCHEMA bare;
--! each data/drop-database
DROP DATABASE d;
--! each data/drop-extension
DROP EXTENSION pg_trgm;
