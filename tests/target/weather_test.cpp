// Each thing that a preflight tells of is made for real, seen, and gone again.
#include "daemon/target/weather.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::Go;
using planner::Preflight;
using planner::PreflightItem;

namespace {

planner::PhaseNeeds needs() {
  return {.phase = "expand",
          .tables = {{"", "t"}},
          .builds = {{.table = {"", "t"}, .name = "i", .columns = {"a"}}},
          .connections = 3};
}

planner::Weather look(Target const& target, std::string const& user = PostgresCluster::superuser,
                      planner::PhaseNeeds const& of = needs()) {
  auto const weather =
      daemon::read_weather(*target.connect("lookout", user), of, "runbookd/store/run_1");
  REQUIRE(weather);
  return *weather;
}

PreflightItem item(planner::Weather const& weather, std::string const& name) {
  for (auto const& one : planner::judge_preflight(needs(), weather).items) {
    if (one.name == name) {
      return one;
    }
  }
  throw std::runtime_error("no item " + name);
}

}  // namespace

TEST_CASE("the table's rows and widths give the size of an index, and the disk is measured here") {
  Target target;
  target.sql(
      "CREATE TABLE t AS SELECT g::bigint AS a, 'x' AS b FROM generate_series(1, 10000) g; "
      "ANALYZE t");
  auto const weather = look(target);
  REQUIRE(weather.tables.size() == 1);
  CHECK(weather.tables.front().name == "t");
  CHECK(weather.tables.front().rows == 10000);
  CHECK(weather.tables.front().widths.at("a") == 8);
  CHECK(weather.tables.front().bytes > 0);
  CHECK(planner::expected_bytes(needs(), weather) == 10000 * 20 * 10 / 9);
  target.sql("CREATE INDEX i ON t (a)");
  auto const real = std::stoll(target.sql("SELECT pg_relation_size('i')"));
  CHECK(planner::expected_bytes(needs(), weather) > real / 2);
  CHECK(planner::expected_bytes(needs(), weather) < real * 2);
}

TEST_CASE("a table that is not there yet, or has partitions, is no trouble") {
  Target target;
  CHECK(look(target).tables.empty());
  target.sql(
      "CREATE TABLE t (a int) PARTITION BY RANGE (a); "
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); "
      "INSERT INTO t SELECT 1 FROM generate_series(1, 50); ANALYZE t; ANALYZE t1");
  auto const weather = look(target);
  REQUIRE(weather.tables.size() == 1);
  CHECK(weather.tables.front().rows == 50);
}

TEST_CASE("a transaction that holds the table, and one of our own, which does not count") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto theirs = target.connect("shop");
  REQUIRE(theirs->run("BEGIN"));
  REQUIRE(theirs->run("SELECT * FROM t"));
  auto ours = target.connect("runbookd/store/run_1/eyes");
  REQUIRE(ours->run("BEGIN"));
  REQUIRE(ours->run("SELECT * FROM t"));
  auto weather = look(target);
  REQUIRE(weather.transactions.size() == 1);
  auto& seen = weather.transactions.front();
  CHECK(seen.session.pid == theirs->pid());
  CHECK(seen.tables == std::vector<std::string>{"t"});
  CHECK(seen.session.transaction_age.count() >= 0);
  seen.session.transaction_age = std::chrono::minutes(1);  // nobody waits that long here
  CHECK(item(weather, "transactions").verdict == Go::wait);
  CHECK(item(weather, "transactions").pid == theirs->pid());
  target.sql(item(weather, "transactions").next);
  target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'shop'");
  CHECK(look(target).transactions.empty());
}

TEST_CASE("a dump is waited for until it is over") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto dump = target.connect("pg_dump");
  REQUIRE(dump->run("BEGIN ISOLATION LEVEL REPEATABLE READ"));
  REQUIRE(dump->run("LOCK TABLE t IN ACCESS SHARE MODE"));
  CHECK(item(look(target), "dump").verdict == Go::wait);
  CHECK(item(look(target), "dump").pid == dump->pid());
  REQUIRE(dump->run("COMMIT"));
  CHECK(item(look(target), "dump").verdict == Go::go);
}

TEST_CASE(
    "a prepared transaction is waited for, and its own command is not named while it is young") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE TABLE elsewhere (a int)");
  target.sql("BEGIN; INSERT INTO elsewhere VALUES (1); PREPARE TRANSACTION 'e'");
  CHECK(item(look(target), "prepared").verdict == Go::wait);
  target.sql("ROLLBACK PREPARED 'e'");
  target.sql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left ''behind'");
  auto const found = item(look(target), "prepared");
  CHECK(found.verdict == Go::wait);
  CHECK(found.message.find("on t: its manager is perhaps about to end it") != std::string::npos);
  CHECK(found.next == "look again in a minute");
  target.sql("ROLLBACK PREPARED 'left ''behind'");
  CHECK(item(look(target), "prepared").verdict == Go::go);
}

TEST_CASE("a slot that nobody uses is told until it is dropped") {
  Target target;
  target.sql("SELECT pg_create_physical_replication_slot('left_behind', true)");
  auto const found = item(look(target), "slots");
  CHECK(found.verdict == Go::wait);
  CHECK(found.message.find("left_behind") != std::string::npos);
  target.sql(found.next);
  CHECK(item(look(target), "slots").verdict == Go::go);
}

TEST_CASE("connections that are used up are a no-go, also by the limit of the role") {
  Target target;
  CHECK(item(look(target), "connections").verdict == Go::go);
  target.sql("CREATE ROLE narrow LOGIN CONNECTION LIMIT 3");
  CHECK(item(look(target, "narrow"), "connections").verdict == Go::no_go);
  target.sql("ALTER ROLE narrow CONNECTION LIMIT -1");
  CHECK(item(look(target, "narrow"), "connections").verdict == Go::go);
  target.sql("DROP ROLE narrow");
  std::vector<std::unique_ptr<daemon::Session>> crowd;
  auto const allowed = look(target).connections_allowed;
  while (look(target).connections_used < allowed - 1) {
    crowd.push_back(target.connect("crowd"));
  }
  CHECK(item(look(target), "connections").verdict == Go::no_go);
  crowd.clear();
  target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'crowd'");
  CHECK(item(look(target), "connections").verdict == Go::go);
}

TEST_CASE("a limit of temporary files smaller than the index is told") {
  Target target;
  target.sql("CREATE TABLE t AS SELECT g::bigint AS a FROM generate_series(1, 10000) g; ANALYZE t");
  target.sql("CREATE ROLE small LOGIN; ALTER ROLE small SET temp_file_limit = '100kB'");
  auto const found = item(look(target, "small"), "temp");
  CHECK(found.verdict == Go::no_go);
  target.sql(found.next);
  CHECK(item(look(target, "small"), "temp").verdict == Go::go);
  target.sql("DROP ROLE small");
}

TEST_CASE("a role without pg_monitor says what it cannot see") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE ROLE plain_forecaster LOGIN");
  CHECK(item(look(target, "plain_forecaster"), "transactions").verdict == Go::unknown);
  CHECK(item(look(target, "plain_forecaster"), "disk").verdict == Go::unknown);
  target.sql(item(look(target, "plain_forecaster"), "transactions").next);
  CHECK(item(look(target, "plain_forecaster"), "transactions").verdict == Go::go);
  target.sql("DROP OWNED BY plain_forecaster; DROP ROLE plain_forecaster");
}

TEST_CASE("a standby whose replay is paused is waited for, and no longer once it has caught up") {
  PostgresCluster standby({.major = server().major(), .standby_of = &server()});
  Target target;
  target.sql("CREATE TABLE t (a text)");
  target.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'");
  target.until("SELECT replay_lsn >= pg_current_wal_lsn() FROM pg_stat_replication");
  CHECK(item(look(target), "standbys").verdict == Go::go);
  standby.sql("postgres", "SELECT pg_wal_replay_pause()");
  target.sql("INSERT INTO t SELECT repeat('x', 1000) || g FROM generate_series(1, 20000) g");
  auto const found = item(look(target), "standbys");
  CHECK(found.verdict == Go::wait);
  CHECK(found.next.find("pg_is_wal_replay_paused") != std::string::npos);
  standby.sql("postgres", "SELECT pg_wal_replay_resume()");
  target.until("SELECT replay_lsn >= pg_current_wal_lsn() FROM pg_stat_replication");
  CHECK(item(look(target), "standbys").verdict == Go::go);
}
