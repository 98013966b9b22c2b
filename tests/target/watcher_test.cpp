#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

// A session that waits for a lock on t until the test lets it go.
struct Waiter {
  Waiter(Target const& target, std::string const& sql) : session(target.connect("waiter")) {
    hands.emplace([this, sql] {
      (void)session->run("SET lock_timeout = '20s'; BEGIN; " + sql);
      (void)session->run("ROLLBACK");
      return daemon::AttemptResult{};
    });
    target.until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waiter' AND "
        "wait_event_type = 'Lock'");
  }
  std::unique_ptr<daemon::Session> session;
  std::optional<Hands> hands;
};

}  // namespace

TEST_CASE("a session that waits for nobody is seen as not waiting") {
  Target target;
  auto eyes = target.connect("eyes");
  auto const sight = daemon::look_at_locks(*eyes, target.connect("idle")->pid());
  REQUIRE(sight);
  CHECK_FALSE(sight->waiting);
  CHECK(sight->blockers.empty());
}

TEST_CASE("the session that holds the lock is named with its lock, table and statement") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("report");
  REQUIRE(holder->run("BEGIN"));
  REQUIRE(holder->run("SELECT * FROM t"));
  Waiter waiter(target, "ALTER TABLE t ADD COLUMN b int");
  auto const sight = daemon::look_at_locks(*target.connect("eyes"), waiter.session->pid());
  REQUIRE(sight);
  CHECK(sight->waiting);
  REQUIRE(sight->blockers.size() == 1);
  auto const& blocker = sight->blockers.front();
  CHECK(blocker.pid == holder->pid());
  CHECK(blocker.user == "postgres");
  CHECK(blocker.application == "report");
  CHECK(blocker.state == "idle in transaction");
  CHECK(blocker.query == "SELECT * FROM t");
  CHECK(blocker.lock_mode == "AccessShareLock");
  CHECK(blocker.relation == "t");
  CHECK(blocker.transaction_age.count() >= 0);
  REQUIRE(holder->run("COMMIT"));
}

TEST_CASE("the holder of a row is named with its table") {
  Target target;
  target.sql("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)");
  auto holder = target.connect("report");
  REQUIRE(holder->run("BEGIN; UPDATE t SET a = 1"));
  Waiter waiter(target, "UPDATE t SET a = 1");
  auto const sight = daemon::look_at_locks(*target.connect("eyes"), waiter.session->pid());
  REQUIRE(sight->blockers.size() == 1);
  CHECK(sight->blockers.front().pid == holder->pid());
  CHECK(sight->blockers.front().relation == "t");
  REQUIRE(holder->run("COMMIT"));
}

TEST_CASE("a prepared transaction blocks as pid 0 under its own name") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'gone away'");
  {
    Waiter waiter(target, "ALTER TABLE t ADD COLUMN b int");
    auto const sight = daemon::look_at_locks(*target.connect("eyes"), waiter.session->pid());
    REQUIRE(sight);
    REQUIRE(sight->blockers.size() == 1);
    CHECK(sight->blockers.front().pid == 0);
    CHECK(sight->blockers.front().query == "PREPARE TRANSACTION 'gone away'");
    CHECK(sight->blockers.front().lock_mode == "RowExclusiveLock");
    target.sql("ROLLBACK PREPARED 'gone away'");
  }
}

TEST_CASE("a backend that is ended is gone, and one that never was is told") {
  Target target;
  auto victim = target.connect("victim");
  auto eyes = target.connect("eyes");
  CHECK(daemon::terminate_backend(*eyes, victim->pid()).value());
  target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'victim'");
  CHECK_FALSE(daemon::cancel_backend(*eyes, victim->pid()).value());
}
