#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::run_concurrent;
using planner::AttemptEnd;

namespace {

constexpr auto build = "CREATE INDEX CONCURRENTLY t_a ON t (a)";
constexpr auto build_unique = "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)";

std::string validity(Target const& target) {
  return target.sql(
      "SELECT string_agg(indisvalid::text, ',') FROM pg_index WHERE indrelid = 't'::regclass");
}

daemon::AttemptResult run(Target const& target, std::string const& sql, int attempt = 1) {
  return run_concurrent(*target.connect("mover"), tag(attempt), action(sql), 1, never());
}

}  // namespace

TEST_CASE("a concurrent index build leaves a valid index, a finished intent and a marker") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  CHECK(run(target, build).end == AttemptEnd::done);
  CHECK(validity(target) == "true");
  CHECK(target.sql("SELECT object || ' ' || relation || ' ' || (done_at IS NOT NULL)::text FROM "
                   "runbookd.intent") == "t_a t true");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("no time limit of the plan or the role reaches a concurrent statement") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql("ALTER DATABASE " + target.name() +
             " SET statement_timeout = '20ms'; ALTER DATABASE " + target.name() +
             " SET lock_timeout = '20ms'");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("SET statement_timeout = 0; BEGIN; INSERT INTO t VALUES (1)"));
  auto session = target.connect("mover");
  Hands hands([&] { return run_concurrent(*session, tag(), action(build), 1, never()); });
  server().sql("postgres", "SELECT pg_sleep(0.2)");
  REQUIRE(holder->run("COMMIT"));
  CHECK(hands.result().end == AttemptEnd::done);
}

TEST_CASE("a unique build over duplicates fails and says what it leaves") {
  Target target;
  target.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  auto const result = run(target, build_unique);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "23505");
  CHECK(result.note.find("the invalid index public.t_a remains") != std::string::npos);
  CHECK(validity(target) == "false");
}

TEST_CASE("the invalid index of an earlier try is dropped before the next one") {
  Target target;
  target.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  REQUIRE(run(target, build_unique, 1).end == AttemptEnd::failed);
  target.sql("DELETE FROM t");
  auto const result = run(target, build_unique, 2);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.note.find("dropped the invalid index public.t_a") != std::string::npos);
  CHECK(validity(target) == "true");
}

TEST_CASE("an invalid leftover is not taken for the index because of IF NOT EXISTS") {
  Target target;
  target.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  REQUIRE(run(target, build_unique, 1).end == AttemptEnd::failed);
  target.sql("DELETE FROM t");
  CHECK(run(target, "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a)", 2).end ==
        AttemptEnd::done);
  CHECK(validity(target) == "true");
}

TEST_CASE("an invalid index on the same table that this step did not make is left alone") {
  Target target;
  target.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
  REQUIRE_FALSE(target.connect()->run(build_unique));
  auto const result = run(target, build_unique);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "42P07");
  CHECK(result.failure->message.find("DROP INDEX CONCURRENTLY public.t_a") != std::string::npos);
  CHECK(validity(target) == "false");
}

TEST_CASE("an index that another session is building is left alone") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto reader = target.connect("reader");
  REQUIRE(reader->run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t"));
  auto other = target.connect("other");
  Hands theirs([&] {
    (void)other->run(build);
    return daemon::AttemptResult{};
  });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%' AND "
      "index_relid <> 0");
  auto const result = run(target, build);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("pid " + std::to_string(other->pid())) != std::string::npos);
  REQUIRE(reader->run("COMMIT"));
  (void)theirs.result();
  CHECK(validity(target) == "true");
}

TEST_CASE("an index of that name on another table is never dropped") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int); CREATE TABLE other (a int); INSERT INTO other VALUES (1), (1)");
  REQUIRE_FALSE(target.connect()->run("CREATE UNIQUE INDEX CONCURRENTLY t_a ON other (a)"));
  auto const result = run(target, build);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "42P07");
  CHECK(result.failure->message.find("an index of another table") != std::string::npos);
  CHECK(target.sql("SELECT count(*) FROM pg_class WHERE relname = 't_a'") == "1");
}

TEST_CASE("a valid index of that name that is not ours is the server's refusal") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)");
  auto const result = run(target, build);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "42P07");
  CHECK(validity(target) == "true");
}

TEST_CASE("an index that an earlier try completed unheard is accepted") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  REQUIRE(run(target, build, 1).end == AttemptEnd::done);
  target.sql("DELETE FROM runbookd.marker; UPDATE runbookd.intent SET done_at = NULL");
  auto const result = run(target, build, 2);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.note.find("an earlier try of this step did it") != std::string::npos);
  CHECK(target.sql("SELECT attempt FROM runbookd.marker") == "2");
}

TEST_CASE(
    "a build that is cancelled on request is interrupted and its leftover goes at the next try") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto reader = target.connect("reader");
  REQUIRE(reader->run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t"));
  auto session = target.connect("mover");
  std::stop_source stop;
  Hands hands([&] { return run_concurrent(*session, tag(1), action(build), 1, stop.get_token()); });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%' AND "
      "index_relid <> 0");
  stop.request_stop();
  REQUIRE(daemon::cancel_backend(*target.connect("eyes"), session->pid()).value());
  auto const result = hands.result();
  CHECK(result.end == AttemptEnd::interrupted);
  CHECK(result.note.find("invalid index public.t_a remains; a retry") != std::string::npos);
  REQUIRE(reader->run("COMMIT"));
  CHECK(run(target, build, 2).end == AttemptEnd::done);
  CHECK(validity(target) == "true");
}

TEST_CASE("a drop that was cancelled half way is done by running it again") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; INSERT INTO t VALUES (1)"));
  auto session = target.connect("mover");
  std::stop_source stop;
  Hands hands([&] {
    return run_concurrent(*session, tag(1), action("DROP INDEX CONCURRENTLY t_a"), 1,
                          stop.get_token());
  });
  target.until("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass");
  stop.request_stop();
  REQUIRE(daemon::cancel_backend(*target.connect("eyes"), session->pid()).value());
  CHECK(hands.result().end == AttemptEnd::interrupted);
  REQUIRE(holder->run("COMMIT"));
  CHECK(run(target, "DROP INDEX CONCURRENTLY t_a", 2).end == AttemptEnd::done);
  CHECK(target.sql("SELECT to_regclass('t_a') IS NULL") == "t");
}

TEST_CASE("other statements outside transactions leave intent and marker too") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)");
  int attempt = 0;
  for (auto const* sql :
       {"VACUUM t", "REINDEX INDEX CONCURRENTLY t_a", "ALTER SYSTEM SET log_checkpoints = on"}) {
    auto end = AttemptEnd::busy;  // the server's own vacuum may be at the table
    for (int tries = 0; end == AttemptEnd::busy && tries < 10; ++tries) {
      end = run(target, sql, ++attempt).end;
    }
    CAPTURE(sql);
    CHECK(end == AttemptEnd::done);
  }
  CHECK(target.sql("SELECT count(*) FROM runbookd.intent JOIN runbookd.marker USING (attempt) "
                   "WHERE done_at IS NOT NULL") == "3");
  target.sql("ALTER SYSTEM RESET log_checkpoints");
}

TEST_CASE("names that need quotes and other schemas are found") {
  Target target;
  target.sql(
      "CREATE SCHEMA \"My S\"; CREATE TABLE \"My S\".\"T t\" (a int); INSERT INTO \"My S\".\"T t\" "
      "VALUES (1), (1)");
  auto const sql = "CREATE UNIQUE INDEX CONCURRENTLY \"I i\" ON \"My S\".\"T t\" (a)";
  REQUIRE(run(target, sql, 1).end == AttemptEnd::failed);
  target.sql("DELETE FROM \"My S\".\"T t\"");
  auto const result = run(target, sql, 2);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.note.find("\"My S\".\"I i\"") != std::string::npos);
}
