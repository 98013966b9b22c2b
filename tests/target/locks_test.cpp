#include "daemon/target/locks.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using planner::BlockerKind;

namespace {

// A session that waits for a lock until the test lets it go.
struct Waiter {
  Waiter(Target const& target, std::string const& name, std::string const& sql)
      : session(target.connect(name)) {
    hands.emplace([this, sql] {
      (void)session->run("SET lock_timeout = '20s'; BEGIN; " + sql);
      (void)session->run("ROLLBACK");
      return daemon::AttemptResult{};
    });
    target.until("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = " +
                 std::to_string(session->pid()) + " AND wait_event_type = 'Lock'");
  }
  int pid() const { return session->pid(); }
  std::unique_ptr<daemon::Session> session;
  std::optional<Hands> hands;
};

std::unique_ptr<daemon::Session> holding(Target const& target, std::string const& name,
                                         std::string const& sql) {
  auto session = target.connect(name);
  REQUIRE(session->run("BEGIN"));
  REQUIRE(session->run(sql));
  return session;
}

constexpr auto ours = "runbookd/store/run_1";

planner::LocksSeen look(Target const& target) {
  auto const seen = daemon::read_run_locks(*target.connect("runbookd/store/look"), ours);
  REQUIRE(seen);
  return *seen;
}

}  // namespace

TEST_CASE("a session of ours that waits for nobody is shown, and nobody with it") {
  Target target;
  auto const session = target.connect(std::string(ours) + "/expand.a");
  auto const other = target.connect("runbookd/store/run_12/expand.a");
  auto const seen = look(target);
  REQUIRE(seen.sessions.size() == 1);
  CHECK(seen.sessions.front().pid == session->pid());
  CHECK(seen.sessions.front().wanted.empty());
  CHECK(seen.blockers.empty());
  CHECK(seen.waiters.empty());
}

TEST_CASE("the tree goes up to the root, and those behind us are shown with their wait") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE TABLE other (a int)");
  auto root = holding(target, "idle app", "LOCK other IN ACCESS EXCLUSIVE MODE");
  auto holder = target.connect("busy app");
  REQUIRE(holder->run("BEGIN"));
  REQUIRE(holder->run("SELECT * FROM t"));
  {
    Hands middle([&holder] {
      (void)holder->run("SELECT * FROM other");
      (void)holder->run("ROLLBACK");
      return daemon::AttemptResult{};
    });
    target.until("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = " +
                 std::to_string(holder->pid()));
    Waiter us(target, std::string(ours) + "/expand.a", "ALTER TABLE t ADD COLUMN b int");
    Waiter victim(target, "shop", "SELECT * FROM t");
    auto const seen = look(target);
    REQUIRE(seen.sessions.size() == 1);
    CHECK(seen.sessions.front().pid == us.pid());
    CHECK(seen.sessions.front().wanted == "AccessExclusiveLock");
    CHECK(seen.sessions.front().relation == "t");
    REQUIRE(seen.blockers.size() == 2);
    CHECK(seen.blockers[0].pid == holder->pid());
    CHECK_FALSE(seen.blockers[0].root);
    CHECK(seen.blockers[0].lock_mode == "AccessShareLock");
    CHECK(seen.blockers[1].pid == root->pid());
    CHECK(seen.blockers[1].root);
    CHECK(seen.blockers[1].depth == 2);
    CHECK(seen.blockers[1].application == "idle app");
    CHECK(seen.blockers[1].state == "idle in transaction");
    CHECK(seen.blockers[1].relation == "other");
    REQUIRE(seen.waiters.size() == 1);
    CHECK(seen.waiters.front().pid == victim.pid());
    CHECK(seen.waiters.front().application == "shop");
    CHECK(seen.waiters.front().wanted == "AccessShareLock");
    CHECK(seen.waiters.front().waited.has_value() ==
          (target.connect()->server_version() >= 140000));
    REQUIRE(root->run("ROLLBACK"));
  }
}

TEST_CASE("whoever waits in front of us in the queue stands in our way too") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto root = holding(target, "report", "SELECT * FROM t");
  {
    Waiter before(target, "other tool", "LOCK t IN ACCESS EXCLUSIVE MODE");
    Waiter us(target, std::string(ours) + "/expand.a", "LOCK t IN SHARE ROW EXCLUSIVE MODE");
    auto const seen = look(target);
    REQUIRE(seen.blockers.size() == 2);
    CHECK(seen.blockers[0].pid == before.pid());
    CHECK(seen.blockers[0].lock_mode == "AccessExclusiveLock (waiting)");
    CHECK(seen.blockers[1].pid == root->pid());
    CHECK(seen.blockers[1].root);
    REQUIRE(root->run("ROLLBACK"));
  }
}

TEST_CASE("those who wait for locks that we hold are seen while we wait for nobody") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto us = holding(target, std::string(ours) + "/expand.a", "LOCK t IN ACCESS EXCLUSIVE MODE");
  {
    Waiter victim(target, "shop", "SELECT * FROM t");
    auto const seen = look(target);
    CHECK(seen.blockers.empty());
    REQUIRE(seen.waiters.size() == 1);
    CHECK(seen.waiters.front().pid == victim.pid());
    auto const behind = daemon::look_behind(*target.connect("eyes"), us->pid());
    REQUIRE(behind);
    REQUIRE(*behind);
    CHECK((*behind)->sessions == 1);
    REQUIRE(us->run("ROLLBACK"));
  }
}

TEST_CASE("a prepared transaction is a root with the command that rolls it back") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s lost'");
  {
    Waiter us(target, std::string(ours) + "/expand.a", "ALTER TABLE t ADD COLUMN b int");
    auto const seen = look(target);
    REQUIRE(seen.blockers.size() == 1);
    auto const& blocker = seen.blockers.front();
    CHECK(blocker.kind == BlockerKind::prepared);
    CHECK(blocker.root);
    CHECK(blocker.lock_mode == "RowExclusiveLock");
    target.sql(command_that_ends(blocker));
  }
  CHECK(target.sql("SELECT count(*) FROM pg_prepared_xacts") == "0");
}

TEST_CASE(
    "a dump and another run of ours are named as what they are, and end by the command told") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto dump = target.connect("pg_dump");
  REQUIRE(dump->run("BEGIN ISOLATION LEVEL REPEATABLE READ"));
  REQUIRE(dump->run("LOCK TABLE t IN ACCESS SHARE MODE"));
  auto run = holding(target, "runbookd/store/run_2/expand.b", "SELECT * FROM t");
  {
    Waiter us(target, std::string(ours) + "/expand.a", "ALTER TABLE t ADD COLUMN b int");
    auto const seen = look(target);
    REQUIRE(seen.blockers.size() == 2);
    CHECK(seen.blockers[0].kind == BlockerKind::dump);
    CHECK(seen.blockers[0].root);
    CHECK(seen.blockers[1].kind == BlockerKind::runbookd);
    for (auto const& blocker : seen.blockers) {
      target.sql(command_that_ends(blocker));
    }
    us.hands->result();
  }
  target.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pg_dump'");
}

TEST_CASE("an index build tells its progress, and whom it waits for") {
  Target target;
  target.sql("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 1000) g");
  auto writer = holding(target, "app", "INSERT INTO t VALUES (0)");
  auto us = target.connect(std::string(ours) + "/expand.a");
  auto eyes = target.connect("eyes");
  Hands hands([&us] {
    (void)us->run("CREATE INDEX CONCURRENTLY i ON t (a)");
    return daemon::AttemptResult{};
  });
  target.until(
      "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE current_locker_pid = " +
      std::to_string(writer->pid()));
  auto const work = daemon::look_at_work(*eyes, us->pid());
  REQUIRE(work);
  REQUIRE(*work);
  CHECK((*work)->told);
  CHECK((*work)->command == "CREATE INDEX CONCURRENTLY");
  CHECK((*work)->phase == "waiting for writers before build");
  CHECK((*work)->relation == "t");
  CHECK((*work)->lockers_total == 1);
  CHECK((*work)->locker_pid == writer->pid());
  REQUIRE(writer->run("COMMIT"));
  hands.result();
  auto const after = daemon::look_at_work(*eyes, us->pid());
  REQUIRE(after);
  CHECK_FALSE(*after);
}

TEST_CASE("a statement without a progress view is said to have none, with its table") {
  Target target;
  target.sql("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 1000) g; ANALYZE t");
  auto us = holding(target, std::string(ours) + "/expand.a", "LOCK t IN SHARE ROW EXCLUSIVE MODE");
  auto eyes = target.connect("eyes");
  Hands hands([&us] {
    (void)us->run("SELECT pg_sleep(60)");
    return daemon::AttemptResult{};
  });
  target.until(
      "SELECT query_start < clock_timestamp() - interval '1 second' AND state = 'active' "
      "FROM pg_stat_activity WHERE pid = " +
      std::to_string(us->pid()));
  auto const work = daemon::look_at_work(*eyes, us->pid());
  REQUIRE(daemon::cancel_backend(*eyes, us->pid()));
  hands.result();
  REQUIRE(work);
  REQUIRE(*work);
  CHECK_FALSE((*work)->told);
  CHECK((*work)->command == "SELECT pg_sleep(60)");
  CHECK((*work)->relation == "t");
  CHECK((*work)->relation_size > 0);
}

TEST_CASE("a role that may not see other sessions still learns who stands in its way") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int); CREATE ROLE plain_watcher LOGIN; GRANT ALL ON t TO plain_watcher");
  auto root = holding(target, "report", "SELECT * FROM t");
  {
    auto session = target.connect(std::string(ours) + "/expand.a", "plain_watcher");
    Hands hands([&session] {
      (void)session->run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
      (void)session->run("ROLLBACK");
      return daemon::AttemptResult{};
    });
    target.until("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = " +
                 std::to_string(session->pid()));
    auto const seen = daemon::read_run_locks(*target.connect("look", "plain_watcher"), ours);
    REQUIRE(root->run("ROLLBACK"));
    hands.result();
    REQUIRE(seen);
    REQUIRE(seen->blockers.size() == 1);
    CHECK(seen->blockers.front().pid == root->pid());
  }
  target.sql("DROP OWNED BY plain_watcher; DROP ROLE plain_watcher");
}
