#include <string>

#include <doctest/doctest.h>

#include "tests/target/backfill.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::AttemptEnd;

TEST_CASE("composite keys of odd types are walked in the server's own order") {
  Target target;
  target.sql(
      "CREATE TYPE mood AS ENUM ('z', 'a'); "
      "CREATE TABLE t (m mood, d timestamptz, c char(5), f float8, n int NOT NULL DEFAULT 0, "
      "PRIMARY KEY (m, d, c, f)); "
      "INSERT INTO t SELECT (ARRAY['z','a'])[1 + g % 2]::mood, '2026-01-01'::timestamptz + g * "
      "interval '1.000001 s', "
      "'a''\\' || g % 7, g / 3.0 FROM generate_series(1, 1500) g");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("text keys with quotes, accents and line breaks are walked") {
  Target target;
  target.sql(
      "CREATE TABLE t (k text PRIMARY KEY, n int NOT NULL DEFAULT 0); "
      "INSERT INTO t (k) SELECT chr(32 + g % 90) || E'\\n\\'\\\\é' || g FROM generate_series(1, "
      "1500) g; "
      "INSERT INTO t (k) VALUES ('')");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("uuid keys are walked") {
  Target target;
  target.sql(
      "CREATE TABLE t (k uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int NOT NULL DEFAULT 0); "
      "INSERT INTO t (n) SELECT 0 FROM generate_series(1, 1500)");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("key values survive settings that print them inexactly") {
  Target target;
  target.sql(
      "CREATE TABLE t (f float8, d timestamp, n int NOT NULL DEFAULT 0, PRIMARY KEY (f, d)); "
      "INSERT INTO t (f, d) SELECT 1 + g * 1e-15, '2026-01-02'::timestamp + g * interval '1 day' "
      "FROM generate_series(1, 900) g");
  target.sql("ALTER DATABASE " + target.name() + " SET extra_float_digits = -5; ALTER DATABASE " +
             target.name() + " SET datestyle = 'German'");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a unique index over columns that are never null serves where there is no primary key") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int NOT NULL, b int, n int NOT NULL DEFAULT 0); CREATE UNIQUE INDEX ON t "
      "(b); "
      "CREATE UNIQUE INDEX t_a ON t (a); INSERT INTO t SELECT g, NULL FROM generate_series(1, 700) "
      "g");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a key in descending order, or with other columns included, is walked") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int NOT NULL, b text NOT NULL, n int NOT NULL DEFAULT 0); "
      "CREATE UNIQUE INDEX ON t (a DESC, b DESC) INCLUDE (n); "
      "INSERT INTO t SELECT g % 7, 'b' || g FROM generate_series(1, 1500) g");
  CHECK(run(target, fill("t", "n", "n + 1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  CHECK(target.sql("SELECT DISTINCT key_columns FROM runbookd.backfill_shard") == "{a,b}");
}

TEST_CASE("numeric keys and texts of another collation are walked by several workers") {
  Target target;
  target.sql(
      "CREATE TABLE t (k numeric, c text COLLATE \"C\", n int NOT NULL DEFAULT 0, PRIMARY KEY (k, "
      "c)); "
      "INSERT INTO t SELECT (g % 900) / 7.0, chr(64 + g % 50) || g FROM generate_series(1, 4000) "
      "g");
  CHECK(run(target, with_workers(fill("t", "n", "n + 1"), 4)).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  CHECK(target.sql("SELECT count(*) > 4 FROM runbookd.backfill_shard") == "t");
}

TEST_CASE("partial, expression, nullable and deferrable unique indexes are no keys") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int NOT NULL, b int, c int NOT NULL UNIQUE DEFERRABLE, n int); "
      "CREATE UNIQUE INDEX ON t (a) WHERE a > 0; CREATE UNIQUE INDEX ON t ((a + 1)); "
      "CREATE UNIQUE INDEX ON t (b); INSERT INTO t SELECT g, g, g FROM generate_series(1, 900) g");
  CHECK(run(target, fill("t", "n", "a", "n IS NULL")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = a) FROM t") == "t");
  CHECK(target.sql("SELECT DISTINCT key_columns FROM runbookd.backfill_shard") == "{ctid}");
}

TEST_CASE("a key that the backfill itself sets is not walked along") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, other int NOT NULL UNIQUE); INSERT INTO t SELECT g, g "
      "FROM generate_series(1, 1000) g");
  CHECK(run(target, fill("t", "id", "id + 100000", "id <= 100000")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(id = other + 100000) FROM t") == "t");
  CHECK(target.sql("SELECT DISTINCT key_columns FROM runbookd.backfill_shard") == "{other}");
}

TEST_CASE("a table without a key is walked block by block") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int, n int, pad text DEFAULT repeat('x', 100)); INSERT INTO t (a) SELECT "
      "g "
      "FROM generate_series(1, 6000) g");
  for (int const workers : {1, 4}) {
    CAPTURE(workers);
    target.sql("UPDATE t SET n = NULL; DELETE FROM runbookd.marker");
    auto const result =
        run(target, with_workers(fill("t", "n", "coalesce(n, 0) + a", "n IS NULL"), workers),
            workers, workers);
    INFO(result.failure.value_or(planner::SqlFailure{}).message);
    CHECK(result.end == AttemptEnd::done);
    CHECK(result.rows == 6000);
    CHECK(target.sql("SELECT bool_and(n = a) FROM t") == "t");
  }
}

TEST_CASE("without a key, rows that cannot be told from filled ones are left alone, with words") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int, n int); INSERT INTO t SELECT g, 0 FROM generate_series(1, 900) g");
  auto const result = run(target, fill("t", "n", "n + 1", "true"));
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("no primary key") != std::string::npos);
  CHECK(result.failure->message.find("Add a key") != std::string::npos);
  CHECK(target.sql("SELECT sum(n) FROM t") == "0");
}

TEST_CASE("a table without a key that was written anew meanwhile is not walked on") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int, n int); INSERT INTO t SELECT g FROM generate_series(1, 30000) g");
  auto const what = fill("t", "n", "a", "n IS NULL");
  REQUIRE(run_until_first_batch(target, what).end == AttemptEnd::interrupted);
  target.sql("VACUUM FULL t");
  auto const result = run(target, what, 2, 1);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("was written anew") != std::string::npos);
}

TEST_CASE("a batch reads the range of its key and nothing else of the table") {
  Target target;
  target.sql(
      "CREATE TABLE other (id int PRIMARY KEY, v int); INSERT INTO other SELECT g, g FROM "
      "generate_series(1, "
      "50000) g; CREATE TABLE t (id int PRIMARY KEY, a_id int, n int); CREATE INDEX ON t (n); "
      "INSERT "
      "INTO t SELECT g, 1 + g % 50000 FROM generate_series(1, 100000) g; ANALYZE");
  auto what = fill("t", "n", "other.v", "t.a_id = other.id AND t.n IS NULL");
  what.from = "other";
  target.sql("UPDATE t SET n = a_id WHERE id <= 60000; ANALYZE t");
  daemon::FillRelation const relation{.name = "public.t",
                                      .known_as = "t",
                                      .is_named = true,
                                      .columns = {"id"},
                                      .types = {"integer"}};
  auto session = target.connect();
  auto const who = tag();
  daemon::BackfillSql const sql(*session, who, what, 1);
  daemon::Shard const shard{.relation = "public.t",
                            .columns = {"id"},
                            .cursor = daemon::KeyValues{"60000"},
                            .upper = daemon::KeyValues{"100000"}};
  auto text = sql.change_and_commit(relation, shard, {"60300"}, {.rows = 300});
  auto const from = text.find("WITH changed");
  text = text.substr(from, text.find("; COMMIT") - from);
  REQUIRE(session->run("BEGIN"));
  auto const plan = session->run("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) " + text);
  REQUIRE(plan);
  std::string shown;
  for (auto const& row : plan->rows) {
    shown += row.front().value_or("");
    shown += '\n';
  }
  CAPTURE(shown);
  CHECK(shown.find("Index Cond: ((id > 60000) AND (id <= 60300))") != std::string::npos);
  CHECK(shown.find("Seq Scan on t") == std::string::npos);
  CHECK(shown.find("Seq Scan on other") == std::string::npos);
}
