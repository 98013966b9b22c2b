#include <string>

#include <doctest/doctest.h>

#include "tests/target/backfill.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::AttemptEnd;

namespace {

void make_partitions(Target const& target) {
  target.sql(
      "CREATE TABLE t (id int, at int, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); "
      "CREATE TABLE t0 PARTITION OF t FOR VALUES FROM (0) TO (100) PARTITION BY HASH (id); "
      "CREATE TABLE t00 PARTITION OF t0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
      "CREATE TABLE t01 PARTITION OF t0 FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (100) TO (200); "
      "INSERT INTO t SELECT g, g % 200 FROM generate_series(1, 3000) g");
}

std::string left(Target const& target) {
  return target.sql("SELECT count(*) FROM t WHERE n IS NULL");
}

}  // namespace

TEST_CASE("a partitioned table is filled partition by partition, by its own name") {
  Target target;
  make_partitions(target);
  CHECK(run(target, with_workers(fill("t", "n", "t.id + t.at", "t.n IS NULL"), 3)).end ==
        AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = id + at) FROM t") == "t");
  CHECK(target.sql("SELECT string_agg(DISTINCT relation, ' ' ORDER BY relation) FROM "
                   "runbookd.backfill_shard") == "public.t00 public.t01 public.t1");
}

TEST_CASE("a partition that comes meanwhile is filled too") {
  Target target;
  make_partitions(target);
  auto const what = fill("t", "n", "id", "n IS NULL");
  REQUIRE(run_until_first_batch(target, what).end == AttemptEnd::interrupted);
  target.sql(
      "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (200) TO (300); INSERT INTO t SELECT g, 250 "
      "FROM generate_series(1, 500) g");
  auto const result = run(target, what, 2, 1);
  CHECK(result.end == AttemptEnd::done);
  CHECK(left(target) == "0");
  CHECK(result.note.find("500 rows that still needed it") != std::string::npos);
}

TEST_CASE("a partition that goes meanwhile takes its rows along") {
  Target target;
  make_partitions(target);
  auto const what = fill("t", "n", "id", "n IS NULL");
  REQUIRE(run_until_first_batch(target, what).end == AttemptEnd::interrupted);
  target.sql("ALTER TABLE t DETACH PARTITION t1");
  CHECK(run(target, what, 2, 1).end == AttemptEnd::done);
  CHECK(left(target) == "0");
  CHECK(target.sql("SELECT count(n) FROM t1") == "0");
}

TEST_CASE("a backfill that would move rows between partitions is refused") {
  Target target;
  make_partitions(target);
  auto const result = run(target, fill("t", "at", "at + 1", "n IS NULL"));
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("by which rows are put into partitions") != std::string::npos);
}

TEST_CASE("a partition that is a foreign table is refused with words") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int, at int, n int) PARTITION BY RANGE (at); CREATE TABLE t1 PARTITION "
      "OF t "
      "FOR VALUES FROM (100) TO (200); INSERT INTO t SELECT g, 150 FROM generate_series(1, 3000) "
      "g; "
      "CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere; CREATE "
      "FOREIGN TABLE t2 PARTITION OF t FOR VALUES FROM (200) TO (300) SERVER far");
  auto const result = run(target, fill("t", "n", "id", "n IS NULL"));
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("public.t2, which holds rows of t, is a foreign table") !=
        std::string::npos);
  CHECK(target.sql("SELECT count(n) FROM t1") == "0");
}

TEST_CASE("a role that may not write to a partition itself is told the grant") {
  Target target;
  make_partitions(target);
  target.sql(
      "DROP ROLE IF EXISTS filler; CREATE ROLE filler LOGIN; GRANT SELECT, UPDATE ON t TO filler; "
      "GRANT USAGE ON SCHEMA runbookd TO filler; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN "
      "SCHEMA runbookd TO filler");
  auto const what = fill("t", "n", "id", "n IS NULL");
  auto const result =
      run_backfill(*target.connect("mover", "filler"), tag(), what, 1, daemon::BackfillHelp{});
  target.sql("DROP OWNED BY filler; DROP ROLE filler");
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("GRANT SELECT, UPDATE ON public.t00 TO filler;") !=
        std::string::npos);
}

TEST_CASE("the children of a table are filled with it") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE TABLE child (PRIMARY "
      "KEY (id)) INHERITS (t); CREATE TABLE grandchild (PRIMARY KEY (id)) INHERITS (child); INSERT "
      "INTO t SELECT g FROM generate_series(1, 400) g; INSERT INTO child SELECT g FROM "
      "generate_series(1, 500) g; INSERT INTO grandchild SELECT g FROM generate_series(1, 600) g");
  auto const result = run(target, fill("t", "n", "t.n + 1"));
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.rows == 1500);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("rows that appear behind the cursor are found, filled and told") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g * 2 FROM "
      "generate_series(1, 1500) g");
  auto const what = fill("t", "n", "id", "n IS NULL");
  REQUIRE(run_until_first_batch(target, what).end == AttemptEnd::interrupted);
  target.sql(
      "INSERT INTO t SELECT g * 2 + 1 FROM generate_series(1, 100) g; INSERT INTO t VALUES "
      "(99999)");
  auto const result = run(target, what, 2, 1);
  CHECK(result.end == AttemptEnd::done);
  CHECK(target.sql("SELECT count(*) FROM t WHERE n IS NULL") == "0");
  CHECK(result.note.find("101 rows that still needed it") != std::string::npos);
  CHECK(result.filled->changed == 1601);
  CHECK(target.sql("SELECT string_agg(DISTINCT pass::text, ' ') FROM runbookd.backfill_shard") ==
        "1 2 3");
}

TEST_CASE("a table with nothing left is looked through once and no more") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g FROM generate_series(1, "
      "900) g");
  auto const result = run(target, fill("t", "n", "id", "n IS NULL"));
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.note.empty());
  CHECK(target.sql("SELECT max(pass) FROM runbookd.backfill_shard") == "2");
}

TEST_CASE("a condition that filled rows still satisfy is never filled twice") {
  Target target;
  make_counters(target, 900);
  for (auto const* where : {"true", "n < 5", "id > 0 AND n IN (SELECT generate_series(0, 9))"}) {
    CAPTURE(where);
    target.sql(
        "UPDATE t SET n = 0; DELETE FROM runbookd.marker; DELETE FROM runbookd.backfill; DELETE "
        "FROM runbookd.backfill_shard");
    CHECK(run(target, fill("t", "n", "n + 1", where)).end == AttemptEnd::done);
    CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  }
}

TEST_CASE("a half-done backfill of a daemon that knew no shards goes on from its cursor") {
  Target target;
  make_counters(target, 2000);
  target.sql("UPDATE t SET n = 1 WHERE id <= 1200");
  target.sql(
      "INSERT INTO runbookd.backfill (store, run, phase, step, direction, since_attempt, label, "
      "relation, key_columns, cursor, upper, rows_expected, rows_scanned, rows_changed, batches) "
      "VALUES ('store-1', 'run_0123456789ab', 1, 2, 'f', 1, 'l', 'public.t', '{id}', '{1200}', "
      "'{2000}', 2000, 1200, 1200, 4)");
  auto const result = run(target, with_workers(fill("t", "n", "n + 1"), 4), 2, 1);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.rows == 800);
  CHECK(result.filled == planner::Filled{.scanned = 2000, .changed = 2000, .total = 2000});
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}
