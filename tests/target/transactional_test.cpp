#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::run_transactional;
using planner::AttemptEnd;

namespace {

std::string markers(Target const& target) {
  return target.sql("SELECT count(*) FROM runbookd.marker");
}

}  // namespace

TEST_CASE("a step's statements and its marker are committed together") {
  Target target;
  auto const result =
      run_transactional(*target.connect(), tag(3),
                        action("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)"), never());
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.rows == 2);
  CHECK(target.sql("SELECT count(*) FROM t") == "2");
  CHECK(target.sql(
            "SELECT run || ' ' || phase || '.' || step || direction::text || attempt || ' ' || "
            "label FROM runbookd.marker") == "run_0123456789ab 1.2f3 expand/add-column");
}

TEST_CASE("a step that changes no rows counts none") {
  Target target;
  CHECK(
      run_transactional(*target.connect(), tag(), action("CREATE TABLE t (a int)"), never()).rows ==
      -1);
}

TEST_CASE("rows that a step reads are not counted as changed") {
  Target target;
  auto const rows = [&](int attempt, std::string const& sql) {
    return run_transactional(*target.connect(), tag(attempt), action(sql), never()).rows;
  };
  CHECK(rows(1, "SELECT * FROM generate_series(1, 7)") == -1);
  CHECK(rows(2,
             "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5); SELECT * FROM "
             "t; UPDATE t SET a = 0 WHERE a < 3; DELETE FROM t WHERE a = 5") == 8);
}

TEST_CASE("a failing statement leaves neither its step's other statements nor a marker") {
  Target target;
  auto session = target.connect();
  auto const result =
      run_transactional(*session, tag(), action("CREATE TABLE t (a int); SELECT 1/0"), never());
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "22012");
  CHECK(result.failure->statement == "SELECT 1/0");
  CHECK(target.sql("SELECT to_regclass('t') IS NULL") == "t");
  CHECK(markers(target) == "0");
}

TEST_CASE("a deferred constraint that fails at the commit fails the step") {
  Target target;
  target.sql(
      "CREATE TABLE p (a int PRIMARY KEY); "
      "CREATE TABLE c (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  auto const result =
      run_transactional(*target.connect(), tag(), action("INSERT INTO c VALUES (1)"), never());
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "23503");
  CHECK(markers(target) == "0");
}

TEST_CASE("the plan's SQL reaches the server byte for byte") {
  Target target;
  auto const sql = std::string(
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$\n  -- a ; comment\n"
      "  SELECT 'it''s; é'::text /* ; */\n$x$");
  CHECK(run_transactional(*target.connect(), tag(), action(sql), never()).end == AttemptEnd::done);
  CHECK(target.sql("SELECT f()") == "it's; é");
  CHECK(target.sql("SELECT prosrc LIKE '%-- a ; comment%' FROM pg_proc WHERE proname = 'f'") ==
        "t");
}

TEST_CASE("the limits of the plan hold inside the step and end with it") {
  Target target;
  auto session = target.connect();
  auto limited = action(
      "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS l, "
      "current_setting('statement_timeout') AS s, "
      "current_setting('idle_in_transaction_session_timeout') AS i");
  limited.lock.stall_budget = planner::Duration(321);
  limited.statement_timeout = planner::Duration(90'000);
  CHECK(run_transactional(*session, tag(), limited, never()).end == AttemptEnd::done);
  CHECK(target.sql("SELECT l || ' ' || s || ' ' || i FROM seen") == "321ms 90s 10s");
  CHECK(session->run("SHOW lock_timeout")->rows.front().front() == "0");
}

TEST_CASE("a lock that is not had within the stall budget is busy") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT * FROM t"));
  auto session = target.connect();
  auto const result =
      run_transactional(*session, tag(), action("ALTER TABLE t ADD COLUMN b int"), never());
  CHECK(result.end == AttemptEnd::busy);
  CHECK(result.failure->sqlstate == "55P03");
  CHECK(target.sql("SELECT count(*) FROM pg_locks WHERE pid = " + std::to_string(session->pid())) ==
        "0");
}

TEST_CASE("a deadlock is busy") {
  Target target;
  target.sql("CREATE TABLE a (x int); CREATE TABLE b (x int)");
  auto other = target.connect("other");
  REQUIRE(other->run("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE b"));
  auto session = target.connect("mover");
  auto both = action("DO 'BEGIN EXECUTE $$LOCK TABLE a$$; EXECUTE $$LOCK TABLE b$$; END'");
  both.lock.stall_budget = planner::Duration(30'000);
  Hands hands([&] { return run_transactional(*session, tag(), both, never()); });
  target.until("SELECT count(*) = 1 FROM pg_locks WHERE relation = 'a'::regclass AND granted");
  Hands rival([&] {
    (void)other->run("LOCK TABLE a; COMMIT");
    return daemon::AttemptResult{};
  });
  auto const result = hands.result();
  CHECK(result.end == AttemptEnd::busy);
  CHECK(result.failure->sqlstate == "40P01");
  (void)rival.result();
}

TEST_CASE("a statement that runs into statement_timeout fails and says which limit to raise") {
  Target target;
  auto slow = action("SELECT pg_sleep(30)");
  slow.statement_timeout = planner::Duration(50);
  auto const result = run_transactional(*target.connect(), tag(), slow, never());
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "57014");
  CHECK(result.failure->message.find("statement_timeout 50ms") != std::string::npos);
}

TEST_CASE("a step that was stopped before it began sends nothing") {
  Target target;
  std::stop_source stop;
  stop.request_stop();
  auto const result = run_transactional(*target.connect(), tag(), action("CREATE TABLE t (a int)"),
                                        stop.get_token());
  CHECK(result.end == AttemptEnd::interrupted);
  CHECK(target.sql("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("a statement that is cancelled on request is interrupted") {
  Target target;
  auto session = target.connect("mover");
  std::stop_source stop;
  Hands hands([&] {
    return run_transactional(*session, tag(), action("CREATE TABLE t (a int); SELECT pg_sleep(30)"),
                             stop.get_token());
  });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND "
      "query LIKE "
      "'%sleep(30)'");
  stop.request_stop();
  REQUIRE(daemon::cancel_backend(*target.connect("eyes"), session->pid()).value());
  CHECK(hands.result().end == AttemptEnd::interrupted);
  CHECK(target.sql("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("a statement that somebody else cancelled has failed") {
  Target target;
  auto session = target.connect("mover");
  Hands hands(
      [&] { return run_transactional(*session, tag(), action("SELECT pg_sleep(30)"), never()); });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND "
      "query LIKE "
      "'%sleep(30)'");
  target.sql("SELECT pg_cancel_backend(" + std::to_string(session->pid()) + ")");
  CHECK(hands.result().end == AttemptEnd::failed);
}

TEST_CASE("a backend ended in the middle of a statement leaves the attempt lost") {
  Target target;
  auto session = target.connect("mover");
  Hands hands([&] {
    return run_transactional(*session, tag(), action("CREATE TABLE t (a int); SELECT pg_sleep(30)"),
                             never());
  });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND "
      "query LIKE "
      "'%sleep(30)'");
  target.terminate("runbookd/");
  auto const result = hands.result();
  CHECK(result.end == AttemptEnd::lost);
  CHECK(result.failure->message.find("before COMMIT was sent") != std::string::npos);
  CHECK_FALSE(session->alive());
}

TEST_CASE("a plan that changes the role still leaves its marker") {
  Target target;
  server().sql("postgres", "DROP ROLE IF EXISTS weak; CREATE ROLE weak");
  auto const result =
      run_transactional(*target.connect(), tag(), action("SET LOCAL ROLE weak; SELECT 1"), never());
  CHECK(result.end == AttemptEnd::done);
  CHECK(markers(target) == "1");
}

TEST_CASE("a plan that changes the search path still leaves its marker") {
  Target target;
  auto const result =
      run_transactional(*target.connect(), tag(), action("SET LOCAL search_path = ''"), never());
  CHECK(result.end == AttemptEnd::done);
  CHECK(markers(target) == "1");
}
