// What a backfill's eyes see of a target that bears it, or does not.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

constexpr auto our_names = "runbookd/here";

planner::Sample look(Target const& target, std::string const& table = "t",
                     std::string const& user = PostgresCluster::superuser) {
  auto const eyes = target.connect(std::string{our_names} + "/eyes", user);
  auto sample = daemon::look_at_signals(*eyes, our_names, table);
  REQUIRE_MESSAGE(sample, sample.error().message);
  return *sample;
}

// Does something that takes long on a session of its own, until that session is ended.
struct Busy {
  Busy(Target const& the_target, std::string const& the_name, std::string const& sql)
      : target(the_target), name(the_name), session(target.connect(name)) {
    hands.emplace([this, sql] {
      (void)session->run(sql);
      return daemon::AttemptResult{};
    });
  }
  ~Busy() { target.terminate(name); }
  Target const& target;
  std::string name;
  std::unique_ptr<daemon::Session> session;
  std::optional<Hands> hands;
};

}  // namespace

TEST_CASE("a quiet target is seen as quiet") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto const sample = look(target);
  CHECK(sample.wal_position.value_or(0) > 0);
  CHECK(sample.lock_waiters == 0);
  CHECK(sample.max_connections > 0);
  CHECK(sample.vacuum == false);
  CHECK(sample.wraparound_vacuum == false);
}

TEST_CASE("WAL that is written moves the position") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto const before = look(target);
  target.sql("INSERT INTO t SELECT generate_series(1, 10000)");
  CHECK(look(target).wal_position.value() - before.wal_position.value() > 100'000);
}

TEST_CASE(
    "whoever waits for a lock of ours is counted and named, whoever waits for another's is not") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE TABLE u (a int)");
  auto const ours = target.connect(std::string{our_names} + "/0.0f1");
  REQUIRE(ours->run("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE"));
  auto const theirs = target.connect("theirs");
  REQUIRE(theirs->run("BEGIN; LOCK TABLE u IN ROW EXCLUSIVE MODE"));
  Busy const stranger(target, "stranger", "BEGIN; LOCK TABLE u IN SHARE MODE");
  Busy const victim(target, "victim", "BEGIN; LOCK TABLE t IN SHARE MODE");
  // only who waits for longer than a moment counts
  target.until(
      "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query_start < "
      "clock_timestamp() - interval '300 ms' AND datname = current_database()");
  auto const sample = look(target);
  CHECK(sample.lock_waiters == 1);
  CHECK(sample.first_waiter == "pid " + std::to_string(victim.session->pid()) + " (victim)");
  REQUIRE(theirs->run("ROLLBACK"));
}

TEST_CASE("active sessions of others are counted, our own are not") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto const before = look(target).active_sessions.value();
  {
    Busy const one(target, "app-1", "SELECT pg_sleep(600)");
    Busy const two(target, "app-2", "SELECT pg_sleep(600)");
    Busy const ours(target, std::string{our_names} + "/0.0f1", "SELECT pg_sleep(600)");
    target.until(
        "SELECT count(*) = 3 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state "
        "= 'active'");
    CHECK(look(target).active_sessions == before + 2);
  }
}

TEST_CASE("an application that was at work a moment ago counts as one that works") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto const theirs = target.connect("theirs");
  REQUIRE(theirs->run("SELECT 1"));
  CHECK(look(target).lately_active.value() >= 1);
}

TEST_CASE("what a role may not see is not guessed") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql(
      "DO $$ BEGIN CREATE ROLE sees_little LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END "
      "$$");
  auto const poor = look(target, "t", "sees_little");
  CHECK_FALSE(poor.active_sessions);
  CHECK_FALSE(poor.lately_active);
  CHECK_FALSE(poor.vacuum);
  CHECK(poor.wal_position);
  CHECK(poor.lock_waiters == 0);
  target.sql("GRANT pg_monitor TO sees_little");
  auto const rich = look(target, "t", "sees_little");
  CHECK(rich.active_sessions);
  CHECK(rich.vacuum == false);
  target.sql("REVOKE pg_monitor FROM sees_little");
}

TEST_CASE("a slot keeps WAL, and says how much") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql("SELECT pg_create_physical_replication_slot('left_behind', true)");
  target.sql("INSERT INTO t SELECT generate_series(1, 10000)");
  auto const sample = look(target);
  auto const slot = std::ranges::find(sample.slots, "left_behind", &planner::Sample::Slot::name);
  REQUIRE(slot != sample.slots.end());
  CHECK(slot->bytes_kept > 100'000);
  target.sql("SELECT pg_drop_replication_slot('left_behind')");
}

TEST_CASE("partitions and tables that are not there are looked at as well") {
  Target target;
  target.sql(
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES "
      "FROM (0) TO (9)");
  CHECK(look(target, "p").vacuum == false);
  CHECK(look(target, "public.nothing").vacuum == false);
}
