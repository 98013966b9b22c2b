#include "tests/chaos/scenario.h"

namespace runbookd::chaos {
namespace {

constexpr auto transactional = R"yaml(runbook: 1
name: chaos-transactional
phases:
  - name: only
    kind: expand
    steps:
      - name: column
        sql: |
          ALTER TABLE t ADD COLUMN c1 int;
          INSERT INTO effect VALUES ('column')
        rollback: |
          INSERT INTO effect VALUES ('undo column');
          ALTER TABLE t DROP COLUMN c1
      - name: transfer
        sql: |
          UPDATE account SET balance = balance - 10 WHERE id = 1;
          UPDATE account SET balance = balance + 10 WHERE id = 2;
          INSERT INTO effect VALUES ('transfer')
        rollback: |
          UPDATE account SET balance = balance + 10 WHERE id = 1;
          UPDATE account SET balance = balance - 10 WHERE id = 2;
          INSERT INTO effect VALUES ('undo transfer')
)yaml";

constexpr auto concurrent_index = R"yaml(runbook: 1
name: chaos-index
phases:
  - name: only
    kind: expand
    steps:
      - name: build
        sql: CREATE INDEX CONCURRENTLY t_a_idx ON t (a)
        rollback: DROP INDEX CONCURRENTLY t_a_idx
      - name: drop-old
        sql: DROP INDEX CONCURRENTLY t_old_idx
        rollback: CREATE INDEX CONCURRENTLY t_old_idx ON t (b)
)yaml";

// The first build meets a duplicate and leaves an invalid index.
constexpr auto leftover_index = R"yaml(runbook: 1
name: chaos-leftover
phases:
  - name: only
    kind: expand
    steps:
      - name: build
        sql: CREATE UNIQUE INDEX CONCURRENTLY d_v_key ON d (v)
        rollback: DROP INDEX CONCURRENTLY d_v_key
)yaml";

constexpr auto backfill = R"yaml(runbook: 1
name: chaos-backfill
phases:
  - name: only
    kind: backfill
    steps:
      - name: fill
        backfill:
          table: t
          set: {a: t.a + 1}
          where: 'true'
          batch: {max_rows: 100, pause: 0ms}
        rollback: |
          UPDATE t SET a = a - 1;
          INSERT INTO effect VALUES ('undo fill')
      - name: fill-nothing
        backfill:
          table: nothing
          set: {a: nothing.a + 1}
          where: 'true'
        rollback: INSERT INTO effect VALUES ('undo fill-nothing')
)yaml";

// Four sessions at once; the second step's rows tell whether they are done, so the table is looked
// through again.
constexpr auto workers = R"yaml(runbook: 1
name: chaos-workers
phases:
  - name: only
    kind: backfill
    steps:
      - name: fill
        backfill:
          table: t
          set: {a: t.a + 1}
          where: 'true'
          batch: {max_rows: 10, pause: 2ms, workers: 4}
        rollback:
          backfill:
            table: t
            set: {a: t.a - 1}
            where: 'true'
            batch: {max_rows: 10, pause: 2ms, workers: 4}
      - name: fill-some
        backfill:
          table: t
          set: {a: t.a + 100}
          where: t.a < 100
          batch: {max_rows: 20, pause: 0ms, workers: 4}
        rollback: |
          UPDATE t SET a = a - 100;
          INSERT INTO effect VALUES ('undo fill-some')
)yaml";

// Hardly anything but batches, for deaths at random moments. No value tells whether a row is done.
constexpr auto fills_all_the_time = R"yaml(runbook: 1
name: chaos-fills
on_restart: resume
phases:
  - name: only
    kind: backfill
    steps:
      - name: fill
        backfill:
          table: t
          set: {a: t.a + 1}
          where: 'true'
          batch: {max_rows: 2, pause: 10ms}
        rollback:
          backfill:
            table: t
            set: {a: t.a - 1}
            where: 'true'
            batch: {max_rows: 6, pause: 20ms, workers: 2}
      - name: fill-with-four
        backfill:
          table: t
          set: {a: t.a + 100}
          where: 'true'
          batch: {max_rows: 2, pause: 30ms, workers: 4}
        rollback:
          backfill:
            table: t
            set: {a: t.a - 100}
            where: 'true'
            batch: {max_rows: 2, pause: 10ms}
)yaml";

// An error that only the end of the transaction would raise keeps the probe open for a moment.
constexpr auto checks = R"yaml(runbook: 1
name: chaos-checks
baselines:
  rows: SELECT count(*) FROM t
phases:
  - name: first
    kind: expand
    requires:
      - {name: t-is-there, sql: "SELECT to_regclass('t') IS NOT NULL", expect: {value: true}}
    steps:
      - name: note
        sql: INSERT INTO effect VALUES ('note')
        rollback: INSERT INTO effect VALUES ('undo note')
    validate:
      - {name: same-rows, sql: SELECT count(*) FROM t, expect: {baseline: rows}}
      - {name: no-orphan, sql: "INSERT INTO child VALUES (1, 77)", expect: {error: foreign_key_violation}}
    soak: 150ms
    watch:
      - {name: noted, every: 100ms, sql: "SELECT count(*) FROM effect WHERE step = 'note'", expect: {value: 1}}
  - name: second
    kind: contract
    approval: {from: dba, count: 1}
    steps:
      - name: tell
        manual: Tell everybody.
        rollback_manual: Take it back.
      - name: settle
        wait: 20ms
      - name: note-again
        sql: INSERT INTO effect VALUES ('note-again')
        rollback: INSERT INTO effect VALUES ('undo note-again')
final_checks:
  - {name: both-noted, sql: "SELECT count(*) FROM effect WHERE step LIKE 'note%'", expect: {value: 2}}
)yaml";

constexpr auto interrupted = R"yaml(runbook: 1
name: chaos-interrupted
phases:
  - name: only
    kind: expand
    steps:
      - name: one
        sql: |
          SELECT pg_sleep(0.1);
          INSERT INTO effect VALUES ('one')
        rollback: INSERT INTO effect VALUES ('undo one')
      - name: two
        sql: |
          SELECT pg_sleep(0.1);
          INSERT INTO effect VALUES ('two')
        rollback: INSERT INTO effect VALUES ('undo two')
      - name: three
        sql: |
          SELECT pg_sleep(0.1);
          INSERT INTO effect VALUES ('three')
        rollback: INSERT INTO effect VALUES ('undo three')
)yaml";

constexpr auto everything = R"yaml(runbook: 1
name: chaos-mixed
on_restart: resume
baselines:
  rows: SELECT count(*) FROM t
phases:
  - name: expand
    kind: expand
    requires:
      - {name: t-is-there, sql: "SELECT to_regclass('t') IS NOT NULL", expect: {value: true}}
    steps:
      - name: column
        sql: |
          ALTER TABLE t ADD COLUMN c1 int;
          INSERT INTO effect VALUES ('column')
        rollback: |
          INSERT INTO effect VALUES ('undo column');
          ALTER TABLE t DROP COLUMN c1
      - name: build
        sql: CREATE INDEX CONCURRENTLY t_a_idx ON t (a)
        rollback: DROP INDEX CONCURRENTLY t_a_idx
    validate:
      - {name: same-rows, sql: SELECT count(*) FROM t, expect: {baseline: rows}}
  - name: fill
    kind: backfill
    steps:
      - name: fill
        backfill:
          table: t
          set: {a: t.a + 1}
          where: 'true'
          batch: {max_rows: 20, pause: 3ms}
        rollback: |
          UPDATE t SET a = a - 1;
          INSERT INTO effect VALUES ('undo fill')
  - name: enforce
    kind: enforce
    steps:
      - name: transfer
        sql: |
          UPDATE account SET balance = balance - 10 WHERE id = 1;
          SELECT pg_sleep(0.02);
          UPDATE account SET balance = balance + 10 WHERE id = 2;
          INSERT INTO effect VALUES ('transfer')
        rollback: |
          UPDATE account SET balance = balance + 10 WHERE id = 1;
          UPDATE account SET balance = balance - 10 WHERE id = 2;
          INSERT INTO effect VALUES ('undo transfer')
      - name: drop-old
        sql: DROP INDEX CONCURRENTLY t_old_idx
        rollback: CREATE INDEX CONCURRENTLY t_old_idx ON t (b)
      - name: default
        sql: |
          ALTER TABLE t ALTER COLUMN b SET DEFAULT 5;
          INSERT INTO effect VALUES ('default')
        rollback: |
          ALTER TABLE t ALTER COLUMN b DROP DEFAULT;
          INSERT INTO effect VALUES ('undo default')
final_checks:
  - {name: all-filled, sql: SELECT count(*) FROM t WHERE a <> 1, expect: {value: 0}}
)yaml";

constexpr auto bank = R"yaml(runbook: 1
name: chaos-bank
on_restart: resume
baselines:
  money: SELECT sum(balance) FROM bank
phases:
  - name: expand
    kind: expand
    steps:
      - name: column
        sql: |
          ALTER TABLE bank ADD COLUMN branch int;
          SELECT pg_sleep(0.05);
          INSERT INTO effect VALUES ('column')
        rollback: |
          INSERT INTO effect VALUES ('undo column');
          ALTER TABLE bank DROP COLUMN branch
      - name: build
        sql: CREATE INDEX CONCURRENTLY bank_branch_idx ON bank (branch)
        rollback: DROP INDEX CONCURRENTLY bank_branch_idx
    validate:
      - {name: money-is-there, sql: SELECT sum(balance) FROM bank, expect: {baseline: money}}
  - name: fill
    kind: backfill
    steps:
      - name: fill
        backfill:
          table: bank
          set: {branch: bank.id % 7, filled: bank.filled + 1}
          where: bank.branch IS NULL
          batch: {max_rows: 5, pause: 20ms}
        rollback: |
          UPDATE bank SET branch = NULL, filled = filled - 1;
          INSERT INTO effect VALUES ('undo fill')
    validate:
      - {name: nothing-left, sql: SELECT count(*) FROM bank WHERE branch IS NULL, expect: {value: 0}}
      - {name: money-is-there, sql: SELECT sum(balance) FROM bank, expect: {baseline: money}}
  - name: enforce
    kind: enforce
    steps:
      - name: check
        sql: |
          ALTER TABLE bank ADD CONSTRAINT branch_is_known CHECK (branch IS NOT NULL) NOT VALID;
          INSERT INTO effect VALUES ('check')
        rollback: |
          INSERT INTO effect VALUES ('undo check');
          ALTER TABLE bank DROP CONSTRAINT branch_is_known
      - name: validate
        sql: |
          ALTER TABLE bank VALIDATE CONSTRAINT branch_is_known;
          SELECT pg_sleep(0.1);
          INSERT INTO effect VALUES ('validate')
        rollback: |
          INSERT INTO effect VALUES ('undo validate');
          ALTER TABLE bank DROP CONSTRAINT branch_is_known;
          ALTER TABLE bank ADD CONSTRAINT branch_is_known CHECK (branch IS NOT NULL) NOT VALID
final_checks:
  - {name: money-is-there, sql: SELECT sum(balance) FROM bank, expect: {baseline: money}}
)yaml";

}  // namespace

std::vector<Scenario> const& scenarios() {
  static std::vector<Scenario> const all{
      {.name = "transactional", .plan = transactional},
      {.name = "index", .plan = concurrent_index, .outside = {"only/build", "only/drop-old"}},
      {.name = "leftover",
       .plan = leftover_index,
       .repair = "DELETE FROM d WHERE id = 2",
       .outside = {"only/build"}},
      {.name = "backfill", .plan = backfill},
      {.name = "workers", .plan = workers},
      {.name = "checks", .plan = checks},
      {.name = "interrupted", .plan = interrupted, .interrupted = true}};
  return all;
}

Scenario const& mixed() {
  static Scenario const one{
      .name = "mixed", .plan = everything, .outside = {"expand/build", "enforce/drop-old"}};
  return one;
}

Scenario const& fills() {
  static Scenario const one{.name = "fills", .plan = fills_all_the_time};
  return one;
}

Scenario const& banking() {
  static Scenario const one{.name = "banking", .plan = bank, .outside = {"expand/build"}};
  return one;
}

char const* const target_setup = R"sql(
  DROP SCHEMA IF EXISTS runbookd CASCADE;
  DROP SCHEMA public CASCADE;
  CREATE SCHEMA public;
  CREATE TABLE effect (step text NOT NULL);
  CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL);
  INSERT INTO account VALUES (1, 100), (2, 100);
  CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 0, b int);
  INSERT INTO t SELECT g, 0, g FROM generate_series(1, 300) g;
  CREATE INDEX t_old_idx ON t (b);
  CREATE TABLE bank (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 1000, moves int NOT NULL DEFAULT 0,
                     filled int NOT NULL DEFAULT 0);
  INSERT INTO bank SELECT g FROM generate_series(1, 200) g;
  CREATE TABLE nothing (id int PRIMARY KEY, a int);
  CREATE TABLE d (id int PRIMARY KEY, v int);
  INSERT INTO d VALUES (1, 7), (2, 7), (3, 8);
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int, parent int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
)sql";

char const* const target_facts = R"sql(
  SELECT 'effects: ' || (SELECT coalesce(string_agg(step || ' ' || n, ', ' ORDER BY step), 'none')
                         FROM (SELECT step, count(*) AS n FROM effect GROUP BY step) e)
    || E'\nbalances: ' || (SELECT string_agg(balance::text, ' ' ORDER BY id) FROM account)
    || E'\nrows by value: ' || (SELECT string_agg(a || ' in ' || n, ', ' ORDER BY a)
                                FROM (SELECT a, count(*) AS n FROM t GROUP BY a) v)
    || E'\nbank: ' || (SELECT concat(sum(balance), ' in ', count(*), ', filled ', sum(filled)) FROM bank)
    || E'\nchildren: ' || (SELECT count(*) FROM child)
    || E'\ncolumns: ' || (SELECT string_agg(attrelid::regclass || '.' || attname || CASE WHEN attnotnull THEN '!' ELSE '' END,
                                            ' ' ORDER BY attrelid::regclass::text, attname)
                          FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
                            AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace))
    || E'\nindexes: ' || (SELECT string_agg(pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END,
                                            '; ' ORDER BY indexrelid::regclass::text)
                          FROM pg_index WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace))
)sql";

}  // namespace runbookd::chaos
