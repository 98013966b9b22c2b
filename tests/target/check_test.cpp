#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

constexpr planner::Duration patient{30'000};

planner::QueryAnswer check(Target const& target, std::string const& sql) {
  return daemon::run_check(*target.connect(), text(sql), patient, false);
}
planner::QueryAnswer probe(Target const& target, std::string const& sql) {
  return daemon::run_check(*target.connect(), text(sql), patient, true);
}

}  // namespace

TEST_CASE("a check answers with its columns, rows and NULLs") {
  Target target;
  auto const answer = check(target, "SELECT 7 AS n, NULL AS nothing -- to the end");
  CHECK_FALSE(answer.failure);
  CHECK(answer.columns == std::vector<std::string>{"n", "nothing"});
  CHECK(answer.rows == std::vector<std::vector<planner::Cell>>{{"7", std::nullopt}});
  CHECK(answer.total_rows == 1);
}

TEST_CASE("a check without rows has no rows") {
  CHECK(check(Target(), "SELECT 1 WHERE false").total_rows == 0);
}

TEST_CASE("of many rows a few are kept and all are counted") {
  Target target;
  for (auto const& [rows, kept] : {std::pair{20, 20}, {21, 20}, {300'000, 20}}) {
    auto const answer =
        check(target, "SELECT g FROM generate_series(1, " + std::to_string(rows) + ") g");
    CHECK(answer.rows.size() == static_cast<std::size_t>(kept));
    CHECK(answer.total_rows == rows);
  }
}

TEST_CASE("statements that no cursor takes are answered too") {
  Target target;
  CHECK(check(target, "SHOW server_version_num").total_rows == 1);
  CHECK(check(target, "EXPLAIN SELECT 1").total_rows == 1);
  CHECK(check(target, "VALUES (1), (2)").total_rows == 2);
}

TEST_CASE("a check that writes is refused by the server") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int); CREATE SEQUENCE s; CREATE FUNCTION w() RETURNS int LANGUAGE sql AS "
      "'INSERT INTO t VALUES (1) RETURNING a'");
  for (auto const* sql :
       {"INSERT INTO t VALUES (1)", "SELECT w()", "SELECT nextval('s')", "CREATE TABLE u (a int)",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x",
        "SELECT * FROM t FOR UPDATE"}) {
    auto const answer = check(target, sql);
    REQUIRE(answer.failure);
    CHECK(answer.failure->sqlstate == "25006");
    CHECK(answer.failure->statement == sql);
  }
  CHECK(target.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a check cannot switch its transaction to writing") {
  Target target;
  auto const answer = check(target, "SELECT set_config('transaction_read_only', 'off', true)");
  CHECK(answer.failure);
}

TEST_CASE("a failing check says the server's words") {
  Target target;
  CHECK(check(target, "SELECT * FROM nowhere").failure->sqlstate == "42P01");
  CHECK(check(target, "SELECT FROM WHERE").failure->sqlstate == "42601");
  CHECK(check(target, "SELECT 1/0").failure->sqlstate == "22012");
}

TEST_CASE("a check that takes too long says its timeout") {
  Target target;
  auto const answer = daemon::run_check(*target.connect(), text("SELECT pg_sleep(30)"),
                                        planner::Duration(30), false);
  CHECK(answer.failure->sqlstate == "57014");
  CHECK(answer.failure->message.find("timeout of 30ms") != std::string::npos);
}

TEST_CASE("a session serves further checks after a failed one") {
  Target target;
  auto session = target.connect();
  CHECK(daemon::run_check(*session, text("SELECT 1/0"), patient, false).failure);
  CHECK(daemon::run_check(*session, text("SELECT 1"), patient, false).total_rows == 1);
  CHECK(session->run("SHOW statement_timeout")->rows.front().front() == "0");
}

TEST_CASE("a probe finds the error and leaves nothing") {
  Target target;
  target.sql("CREATE TABLE t (a int NOT NULL)");
  CHECK(probe(target, "INSERT INTO t VALUES (NULL)").failure->sqlstate == "23502");
  CHECK(target.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a probe that succeeds leaves nothing either") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  CHECK_FALSE(probe(target, "INSERT INTO t VALUES (1)").failure);
  CHECK(target.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE("a probe hears of constraints that wait for the commit") {
  Target target;
  target.sql(
      "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int REFERENCES p DEFERRABLE INITIALLY "
      "DEFERRED)");
  CHECK(probe(target, "INSERT INTO c VALUES (1)").failure->sqlstate == "23503");
}

TEST_CASE("a probe does not wait long for a lock") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; LOCK TABLE t"));
  CHECK(probe(target, "INSERT INTO t VALUES (1)").failure->sqlstate == "55P03");
}
