--@schema
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c text, d int);
CREATE INDEX t_a_idx ON t (a);
CREATE TABLE small (id bigint PRIMARY KEY, a int);
CREATE TABLE part (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE MATERIALIZED VIEW mv AS SELECT a, count(*) AS n FROM t GROUP BY a;
CREATE MATERIALIZED VIEW mk AS SELECT a, count(*) AS n FROM t GROUP BY a;
CREATE UNIQUE INDEX mk_a ON mk (a);
CREATE MATERIALIZED VIEW empty_mv AS SELECT a FROM t WITH NO DATA;

--! each lock/create-index-not-concurrent
CREATE INDEX i ON t (a);
CREATE INDEX ON t (a);
CREATE UNIQUE INDEX i ON t (a);
CREATE INDEX IF NOT EXISTS i ON t (a);
CREATE INDEX i ON s.t USING gin (a);
CREATE INDEX i ON t (lower(a)) WHERE b IS NOT NULL;
create index i on "Users" (a);
CREATE INDEX i ON t (a) INCLUDE (b);
CREATE INDEX i ON t (a) WITH (fillfactor = 90);

--! each safe
CREATE INDEX CONCURRENTLY i ON t (a);
CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);
CREATE INDEX CONCURRENTLY ON t (a);
CREATE INDEX CONCURRENTLY i ON t USING gin (a);
CREATE INDEX i ON ONLY t (a);
CREATE TABLE t (a int); CREATE INDEX i ON t (a);
CREATE TABLE s.t (a int); CREATE INDEX i ON t (a);
CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE INDEX i ON t (a);
BEGIN; CREATE TABLE t (a int); CREATE INDEX i ON t (a); COMMIT;
CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE UNIQUE INDEX i ON v (a);
CREATE TABLE a (x int); ALTER TABLE a RENAME TO b; CREATE INDEX i ON b (x);

--! each lock/create-index-not-concurrent +schema
CREATE INDEX i ON t (b);
CREATE INDEX i ON ONLY t (b);
CREATE INDEX i ON part (id);

--! each safe +schema
CREATE INDEX CONCURRENTLY i ON t (b);
CREATE INDEX IF NOT EXISTS t_a_idx ON t (a);
CREATE INDEX i ON ONLY part (id);
CREATE INDEX CONCURRENTLY i ON part_1 (id);

--! each lock/drop-index-not-concurrent
DROP INDEX i;
DROP INDEX IF EXISTS i;
DROP INDEX s.i, j;

--! each safe
DROP INDEX CONCURRENTLY i;
DROP INDEX CONCURRENTLY IF EXISTS s.i;
CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i;

--! each safe +schema
DROP INDEX CONCURRENTLY t_a_idx;
DROP INDEX IF EXISTS no_such_index;

--! each lock/drop-index-not-concurrent +schema
DROP INDEX t_a_idx;

--! each lock/reindex-not-concurrent
REINDEX TABLE t;
REINDEX INDEX i;
REINDEX SCHEMA s;
REINDEX (VERBOSE) TABLE t;

--! each safe
REINDEX INDEX CONCURRENTLY i;
REINDEX (CONCURRENTLY, VERBOSE) INDEX i;
REINDEX SCHEMA CONCURRENTLY s;
CREATE TABLE t (a int); REINDEX TABLE t;

--! each lock/reindex-partitioned-waits
REINDEX TABLE CONCURRENTLY t;

--! each safe +schema
REINDEX TABLE CONCURRENTLY t;
REINDEX TABLE CONCURRENTLY part_1;

--! each lock/reindex-partitioned-waits version/not-in-this-server @13 +schema
REINDEX TABLE CONCURRENTLY part;
--! each lock/reindex-partitioned-waits @14-18 +schema
REINDEX TABLE CONCURRENTLY part;

--! each index/concurrent-on-partitioned +schema
CREATE INDEX CONCURRENTLY i ON part (id);
CREATE INDEX CONCURRENTLY i ON ONLY part (id);
--! each index/concurrent-on-partitioned
CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE INDEX CONCURRENTLY i ON p (a);

--! each index/if-not-exists-keeps-invalid
CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);
--! each safe
DROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);
--! each safe +schema
CREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a);
CREATE INDEX CONCURRENTLY IF NOT EXISTS t_b_idx ON t (b);

--! each index/many-columns
CREATE INDEX CONCURRENTLY i ON t (a, b, c, d);
CREATE TABLE n (a int, b int, c int, d int); CREATE INDEX i ON n (a, b, c, d);
--! each safe
CREATE INDEX CONCURRENTLY i ON t (a, b, c);
CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b, c, d);
CREATE INDEX CONCURRENTLY i ON t (a) INCLUDE (b, c, d);

--! each index/column-twice
CREATE INDEX CONCURRENTLY i ON t (a, b, a);
CREATE INDEX CONCURRENTLY i ON t (a) INCLUDE (a);
--! each safe
CREATE INDEX CONCURRENTLY i ON t (a, lower(a));
CREATE INDEX CONCURRENTLY i ON t USING gin (a gin_trgm_ops, a jsonb_path_ops);

--! each index/same-as-another +schema
CREATE INDEX CONCURRENTLY other ON t (a);
CREATE INDEX CONCURRENTLY other ON t USING btree (a);
--! each safe +schema
CREATE INDEX CONCURRENTLY other ON t (a DESC);
CREATE INDEX CONCURRENTLY other ON t (a) WHERE b = 1;
CREATE INDEX CONCURRENTLY other ON t USING hash (a);
CREATE UNIQUE INDEX CONCURRENTLY other ON t (a);
CREATE INDEX CONCURRENTLY other ON t (a, b);

--! each index/release-corrupts @14 +minor=2
CREATE INDEX CONCURRENTLY i ON t (a);
REINDEX INDEX CONCURRENTLY i;
--! each safe @14 +minor=4
CREATE INDEX CONCURRENTLY i ON t (a);
--! each safe @15 +minor=2
CREATE INDEX CONCURRENTLY i ON t (a);

--! each lock/refresh-not-concurrent
REFRESH MATERIALIZED VIEW mv;
--! each lock/refresh-not-concurrent +schema
REFRESH MATERIALIZED VIEW mv;
--! each safe
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;
CREATE MATERIALIZED VIEW v AS SELECT 1 AS a WITH NO DATA; REFRESH MATERIALIZED VIEW v;
--! each safe +schema
REFRESH MATERIALIZED VIEW empty_mv;
REFRESH MATERIALIZED VIEW CONCURRENTLY mk;
--! each index/refresh-needs-unique +schema
REFRESH MATERIALIZED VIEW CONCURRENTLY mv;
