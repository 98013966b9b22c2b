#include <cstdio>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/target/target.h"

using namespace runbookd;
using runbookd::daemon::Cell;
using runbookd::daemon::SqlFailure;
using runbookd::testing::server;
using runbookd::testing::Target;

TEST_CASE("a message of several statements answers with the last one") {
  Target target;
  auto const rows = target.connect()->run("SELECT 1; SELECT 2 AS two, NULL AS nothing");
  REQUIRE(rows);
  CHECK(rows->columns == std::vector<std::string>{"two", "nothing"});
  CHECK(rows->rows == std::vector<std::vector<Cell>>{{"2", std::nullopt}});
}

TEST_CASE("arguments arrive as they are, NULL and quotes included") {
  Target target;
  auto session = target.connect();
  for (int i = 0; i < 2; ++i) {
    auto const rows = session->run("SELECT $1::text, $2::text, $3::int + 1",
                                   {"it's \\ \"x\"", std::nullopt, "41"});
    REQUIRE(rows);
    CHECK(rows->rows.front() == std::vector<Cell>{"it's \\ \"x\"", std::nullopt, "42"});
  }
}

TEST_CASE("quoted literals and names come back unchanged, whatever the string settings") {
  Target target;
  auto session = target.connect();
  for (auto const* setting : {"on", "off"}) {
    REQUIRE(session->run("SET escape_string_warning = off; SET standard_conforming_strings = " +
                         std::string(setting)));
    std::string const odd = "a'b\\c\"d é";
    auto const rows =
        session->run("SELECT " + session->quote_literal(odd) + " AS " + session->quote_name(odd));
    REQUIRE(rows);
    CHECK(rows->rows.front().front() == odd);
    CHECK(rows->columns.front() == odd);
  }
}

TEST_CASE("SQL with a zero byte is refused and nothing of it is run") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto session = target.connect();
  auto const rows = session->run(std::string("INSERT INTO t VALUES (1)\0 garbage", 33));
  REQUIRE_FALSE(rows);
  CHECK(rows.error().sqlstate == "22021");
  CHECK(target.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE("the server's SQLSTATE arrives for the failures whose code the library loses") {
  Target target;
  target.sql("CREATE TABLE secret (a int)");
  server().sql("postgres", "DROP ROLE IF EXISTS nobody_much; CREATE ROLE nobody_much LOGIN");
  auto const denied = target.connect("test", "nobody_much")->run("SELECT * FROM secret");
  CHECK(denied.error().sqlstate == "42501");
  CHECK(denied.error().message == "permission denied for table secret");
  auto session = target.connect();
  auto const serial =
      session->run("DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END$$");
  CHECK(serial.error().sqlstate == "40001");
  auto const deadlock =
      session->run("DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40P01'; END$$");
  CHECK(deadlock.error().sqlstate == "40P01");
  auto const missing = session->run("SELECT * FROM nowhere");
  CHECK(missing.error().sqlstate == "42P01");
}

TEST_CASE("a failure's message keeps detail and hint in one paragraph and leaves out the excerpt") {
  Target target;
  target.sql("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
  auto session = target.connect();
  CHECK(session->run("INSERT INTO t VALUES (1)").error().message ==
        "duplicate key value violates unique constraint \"t_pkey\" DETAIL:  Key (a)=(1) already "
        "exists.");
  CHECK(session->run("SELEC 1").error().message == "syntax error at or near \"SELEC\"");
  CHECK(session->run("SELEC 1").error().statement == "SELEC 1");
}

TEST_CASE("a session whose backend was ended fails with unknown fate and never comes back") {
  Target target;
  auto session = target.connect("victim");
  REQUIRE(session->run("SET lock_timeout = '1234ms'"));
  target.terminate("victim");
  for (int i = 0; i < 4; ++i) {
    auto const rows = session->run("SELECT 1");
    REQUIRE_FALSE(rows);
    CHECK(rows.error().fate == SqlFailure::Fate::unknown);
  }
  CHECK_FALSE(session->alive());
}

TEST_CASE("notices do not reach the error output") {
  Target target;
  auto session = target.connect();
  std::FILE* caught = std::tmpfile();
  int const kept = dup(STDERR_FILENO);
  dup2(fileno(caught), STDERR_FILENO);
  auto const noticed = session->run("DO $$BEGIN RAISE WARNING 'look here'; END$$");
  auto const broken = session->run("nonsense");
  session.reset();
  dup2(kept, STDERR_FILENO);
  close(kept);
  CHECK(noticed);
  CHECK_FALSE(broken);
  CHECK(lseek(fileno(caught), 0, SEEK_END) == 0);
  std::fclose(caught);
}

TEST_CASE("a session says which backend and which version it talks to") {
  Target target;
  auto session = target.connect("who-am-i");
  CHECK(target.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'who-am-i'") ==
        std::to_string(session->pid()));
  CHECK(target.sql("SHOW server_version_num") == std::to_string(session->server_version()));
}

TEST_CASE("a cleaned session keeps nothing of what a plan set, and keeps our own settings") {
  Target target;
  target.sql("CREATE ROLE cleaned_role");
  auto session = target.connect();
  REQUIRE(session->run(
      "SET search_path = ''; SET statement_timeout = '7min'; CREATE TEMP TABLE scrap (a int)"));
  REQUIRE(session->run("SELECT pg_advisory_lock(7); SET ROLE cleaned_role"));
  REQUIRE(daemon::clean_session(*session));
  auto const rows = session->run(
      "SELECT current_setting('search_path') <> '', current_setting('statement_timeout'), "
      "current_user, "
      "to_regclass('pg_temp.scrap') IS NULL, (SELECT count(*) FROM pg_locks WHERE locktype = "
      "'advisory')");
  REQUIRE(rows);
  CHECK(rows->rows.front() == std::vector<Cell>{"t", "0", "postgres", "t", "0"});
  if (session->server_version() >= 140000) {
    CHECK(session->run("SHOW client_connection_check_interval")->rows.front().front() == "1s");
  }
}
