// How a step comes by its strong locks, against a real server.
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/target/lock_set.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using namespace std::chrono_literals;
using daemon::LockSet;
using daemon::run_transactional;
using planner::AttemptEnd;
using planner::LockMode;

namespace {

constexpr auto add_column = "ALTER TABLE t ADD COLUMN b int";

planner::SqlAction patient(std::string const& sql) {
  auto patient = action(sql);
  patient.lock = {.stall_budget = 200ms, .give_up_after = 5min};
  return patient;
}
// As by a step's tenth try: it goes on for long before it says that it is busy.
daemon::Waiting long_sitting() { return {.tries = 10}; }

std::string columns(Target const& target) {
  return target.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = 't'");
}
// Strong locks that others than the holder queue for: whoever comes then waits behind them.
std::string queued(Target const& target) {
  return target.sql("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND NOT granted");
}

}  // namespace

TEST_CASE("what is wished for is found once, by the strongest mode, in the order of oids") {
  Target target;
  target.sql(
      "CREATE TABLE b (x int); CREATE TABLE a (x int); CREATE TABLE p (x int); "
      "CREATE VIEW v AS SELECT * FROM a");
  auto session = target.connect();
  auto const set = LockSet::find(*session, {{"a", LockMode::share},
                                            {"a", LockMode::share_update_exclusive},
                                            {"b", LockMode::access_exclusive},
                                            {"p", LockMode::row_exclusive},
                                            {"v", LockMode::access_exclusive},
                                            {"not_there", LockMode::access_exclusive},
                                            {"pg_class", LockMode::access_exclusive}});
  REQUIRE(set);
  auto const sql = set->take_sql(*session, {}, 0ms, 200ms);
  auto const a = sql.find("LOCK TABLE ONLY public.a IN SHARE ROW EXCLUSIVE MODE NOWAIT");
  auto const b = sql.find("LOCK TABLE ONLY public.b IN ACCESS EXCLUSIVE MODE NOWAIT");
  CHECK(b < a);
  CHECK(a != std::string::npos);
  CHECK(sql.find("public.p") == std::string::npos);
  CHECK(sql.find("public.v") == std::string::npos);
  CHECK(sql.find("pg_class") == std::string::npos);
}

TEST_CASE("the relation that is held is asked for first, so that nothing is held meanwhile") {
  Target target;
  target.sql("CREATE TABLE a (x int); CREATE TABLE b (x int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT FROM b"));
  auto session = target.connect();
  auto const set = LockSet::find(
      *session, {{"a", LockMode::access_exclusive}, {"b", LockMode::access_exclusive}});
  auto const seen = set->look(*session);
  REQUIRE(seen);
  auto const sql = set->take_sql(*session, *seen, 50ms, 200ms);
  CHECK(sql.find("public.b IN ACCESS EXCLUSIVE MODE;") <
        sql.find("public.a IN ACCESS EXCLUSIVE MODE NOWAIT"));
}

TEST_CASE("all locks are had, or none") {
  Target target;
  target.sql("CREATE TABLE a (x int); CREATE TABLE b (x int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT FROM b"));
  auto session = target.connect();
  auto const set = LockSet::find(
      *session, {{"a", LockMode::access_exclusive}, {"b", LockMode::access_exclusive}});
  REQUIRE(session->run("BEGIN"));
  auto const take = [&] {
    REQUIRE(session->run(set->take_sql(*session, {}, 0ms, 200ms)));
    return LockSet::held(session->run(LockSet::asked));
  };
  auto const ours = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND pid = " +
                    std::to_string(session->pid());
  CHECK_FALSE(take());
  CHECK(target.sql(ours) == "0");
  REQUIRE(holder->run("COMMIT"));
  CHECK(take());
  CHECK(target.sql(ours) == "2");
}

TEST_CASE("a probe that finds the lock taken leaves no line in the server's log") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT FROM t"));
  auto session = target.connect();
  auto const set = LockSet::find(*session, {{"t", LockMode::access_exclusive}});
  REQUIRE(session->run("BEGIN"));
  for (auto const wait : {0ms, 20ms}) {
    CHECK(session->run(set->take_sql(*session, {}, wait, 200ms)));  // for the server nothing failed
    CHECK_FALSE(LockSet::held(session->run(LockSet::asked)));
  }
}

TEST_CASE("nobody waits for what a step does before it needs its locks") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  std::string const work =
      "CREATE TABLE seen AS SELECT count(*) AS locks FROM pg_locks "
      "WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock'; ";
  auto const run = [&](std::string const& sql) {
    return run_transactional(*target.connect(), tag(), patient(sql), never(), {}).end;
  };
  SUBCASE("the locks come before the first statement that asks for one") {
    CHECK(run(work + add_column) == AttemptEnd::done);
    CHECK(target.sql("SELECT locks FROM seen") == "0");
    CHECK(columns(target) == "2");
  }
  SUBCASE("but not behind what the plan sets for its transaction") {
    CHECK(run("SET LOCAL work_mem = '8MB'; " + work + add_column) == AttemptEnd::done);
    CHECK(target.sql("SELECT locks FROM seen") == "1");
  }
  SUBCASE("where one is not to be had, what was done before it is taken back") {
    auto holder = target.connect("report");
    REQUIRE(holder->run("BEGIN; SELECT * FROM t"));
    CHECK(run(work + add_column) == AttemptEnd::busy);
    CHECK(target.sql("SELECT to_regclass('seen') IS NULL") == "t");
    CHECK(columns(target) == "1");
  }
}

TEST_CASE("a step waits for whoever is idle in a transaction without queueing, and names it") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("report");
  REQUIRE(holder->run("BEGIN; SELECT * FROM t"));
  target.until(
      "SELECT bool_and(clock_timestamp() - xact_start > '1 s') FROM pg_stat_activity "
      "WHERE application_name = 'report'");
  auto session = target.connect();
  std::vector<daemon::LockStanding> told;
  std::vector<std::string> queues;
  auto waiting = long_sitting();
  waiting.tell = [&](daemon::LockStanding const& standing) {
    told.push_back(standing);
    queues.push_back(queued(target));
    if (told.size() == 4) {
      REQUIRE(holder->run("COMMIT"));
    }
  };
  auto const result = run_transactional(*session, tag(), patient(add_column), never(), waiting);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.lock_wait > 0ms);
  CHECK(columns(target) == "2");
  REQUIRE(told.size() >= 5);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_FALSE(told[i].queued);
    CHECK(queues[i] == "0");
    REQUIRE(told[i].blockers.size() == 1);
    CHECK(told[i].blockers.front().application == "report");
    CHECK(told[i].blockers.front().state == "idle in transaction");
    CHECK(told[i].blockers.front().query == "BEGIN; SELECT * FROM t");
    CHECK(told[i].blockers.front().relation == "t");
    CHECK(told[i].blockers.front().transaction_age > 1s);
  }
  CHECK(told.back().waited == 0ms);
}

TEST_CASE("behind a holder that waits itself stands whoever keeps them all") {
  Target target;
  target.sql("CREATE TABLE t (a int); CREATE TABLE other (a int)");
  target.sql("BEGIN; INSERT INTO other VALUES (1); PREPARE TRANSACTION 'at the root'");
  auto holder = target.connect("report");
  REQUIRE(holder->run("BEGIN; SELECT * FROM t"));
  std::jthread const stuck([&] { (void)holder->run("LOCK other"); });
  target.until(
      "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'report'");
  auto const result = run_transactional(*target.connect(), tag(), patient(add_column), never(), {});
  target.sql("ROLLBACK PREPARED 'at the root'");
  CHECK(result.end == AttemptEnd::busy);
  REQUIRE(result.blockers.size() == 2);
  CHECK(result.blockers[0].application == "report");
  CHECK_FALSE(result.blockers[0].root);
  CHECK(result.blockers[1].kind == planner::BlockerKind::prepared);
  CHECK(result.blockers[1].depth == 2);
  CHECK(result.blockers[1].root);
}

TEST_CASE("a prepared transaction is named, and never queued for") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  target.sql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'gone away'");
  auto const result = run_transactional(*target.connect(), tag(), patient(add_column), never(), {});
  CHECK(result.end == AttemptEnd::busy);
  CHECK(result.failure->sqlstate == "55P03");
  CHECK(result.failure->message.find("1 try, in the queue for 0") != std::string::npos);
  REQUIRE(result.blockers.size() == 1);
  CHECK(result.blockers.front().pid == 0);
  CHECK(result.blockers.front().query == "PREPARE TRANSACTION 'gone away'");
  CHECK(result.blockers.front().kind == planner::BlockerKind::prepared);
  target.sql("ROLLBACK PREPARED 'gone away'");
}

TEST_CASE(
    "an ordinary autovacuum gives way, also to a role that may neither cancel it nor lower "
    "deadlock_timeout") {
  Target target;
  server().sql("postgres", "DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN");
  // dead rows and a slow vacuum of them
  for (auto const* set : {"ALTER SYSTEM SET autovacuum_naptime = '1s'",
                          "ALTER SYSTEM SET autovacuum = on", "SELECT pg_reload_conf()"}) {
    server().sql("postgres", set);
  }
  target.sql(
      "CREATE TABLE t (a int) WITH (autovacuum_vacuum_threshold = 1, "
      "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, "
      "autovacuum_vacuum_cost_limit = 1); ALTER TABLE t OWNER TO plain; "
      "GRANT ALL ON SCHEMA public, runbookd TO plain; "
      "GRANT ALL ON ALL TABLES IN SCHEMA runbookd TO plain; "
      "INSERT INTO t SELECT generate_series(1, 200000); UPDATE t SET a = 0");
  target.until(
      "SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE "
      "a.backend_type = 'autovacuum worker' AND l.relation = 't'::regclass");
  auto session = target.connect("mover", "plain");
  auto const result =
      run_transactional(*session, tag(), patient(add_column), never(), long_sitting());
  CHECK(result.end == AttemptEnd::done);
  CHECK(columns(target) == "2");
  for (auto const* reset : {"ALTER SYSTEM RESET autovacuum",
                            "ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()"}) {
    server().sql("postgres", reset);
  }
}

TEST_CASE("a stop ends the wait at once, and nothing has changed") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT * FROM t"));
  auto session = target.connect();
  std::stop_source ends;
  auto waiting = long_sitting();
  waiting.ends = ends.get_token();
  waiting.tell = [&](daemon::LockStanding const&) { ends.request_stop(); };
  auto const result = run_transactional(*session, tag(), patient(add_column), never(), waiting);
  CHECK(result.end == AttemptEnd::interrupted);
  CHECK(columns(target) == "1");
}

TEST_CASE("who may not lock a table for itself waits for it in its statement") {
  Target target;
  server().sql("postgres", "DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN");
  target.sql(
      "CREATE TABLE theirs (x int PRIMARY KEY); GRANT REFERENCES ON theirs TO weak; "
      "GRANT CREATE, USAGE ON SCHEMA public TO weak; GRANT USAGE ON SCHEMA runbookd TO weak; "
      "GRANT ALL ON ALL TABLES IN SCHEMA runbookd TO weak");
  auto session = target.connect("mover", "weak");
  auto const set = LockSet::find(*session, {{"theirs", LockMode::share_row_exclusive}});
  REQUIRE(set);
  CHECK_FALSE(set->empty());
  CHECK(set->take_sql(*session, {}, 0ms, 200ms).find("LOCK TABLE") == std::string::npos);
  CHECK(run_transactional(*session, tag(), patient("CREATE TABLE ours (x int REFERENCES theirs)"),
                          never(), {})
            .end == AttemptEnd::done);
}

TEST_CASE("what a step makes itself, and what is nobody else's, is not asked for") {
  Target target;
  auto session = target.connect();
  REQUIRE(session->run("CREATE TEMP TABLE mine (a int)"));
  CHECK(run_transactional(*session, tag(),
                          patient("CREATE TABLE fresh (a int); ALTER TABLE fresh ADD COLUMN b int; "
                                  "ALTER TABLE mine ADD COLUMN b int; DO 'BEGIN END'"),
                          never(), {})
            .end == AttemptEnd::done);
}

TEST_CASE("the partner of a foreign key is among the locks, and its holder is named") {
  Target target;
  target.sql(
      "CREATE TABLE parent (a int PRIMARY KEY); CREATE TABLE child (a int REFERENCES parent)");
  auto holder = target.connect("report");
  REQUIRE(holder->run("BEGIN; SELECT * FROM parent"));
  auto const result =
      run_transactional(*target.connect(), tag(), patient("DROP TABLE child"), never(), {});
  CHECK(result.end == AttemptEnd::busy);
  REQUIRE(result.blockers.size() == 1);
  CHECK(result.blockers.front().relation == "parent");
  CHECK(result.failure->message.find("on parent") != std::string::npos);
}

TEST_CASE("what the locks have taken of the stall budget, the statements do not have") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  auto session = target.connect();
  auto const set = LockSet::find(*session, {{"t", LockMode::access_exclusive}});
  REQUIRE(session->run("BEGIN"));
  REQUIRE(session->run(set->take_sql(*session, {}, 0ms, 10s)));
  auto const left = session->run(
      "SELECT extract(epoch FROM current_setting('lock_timeout')::interval) BETWEEN 0.01 AND 10");
  CHECK(left->rows.front().front() == "t");
}
