#include <chrono>
#include <random>
#include <set>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "tests/target/backfill.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::run_backfill;
using planner::AttemptEnd;

TEST_CASE("several workers fill disjoint parts, each row once") {
  Target target;
  make_counters(target, 20'000);
  target.sql(
      "CREATE TABLE who (pid int, n int); CREATE FUNCTION note() RETURNS trigger LANGUAGE "
      "plpgsql AS $$ BEGIN INSERT INTO who VALUES (pg_backend_pid(), new.n); RETURN new; END $$; "
      "CREATE TRIGGER noted BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note()");
  auto const result = run(target, with_workers(fill("t", "n", "n + 1"), 4));
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.rows == 20'000);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  CHECK(target.sql("SELECT count(*) FROM who") == "20000");
  CHECK(target.sql("SELECT count(*) BETWEEN 32 AND 65 FROM runbookd.backfill_shard") == "t");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("the look through the table goes on in full batches from part to part") {
  Target target;
  make_counters(target, 200'000);
  auto action = with_workers(fill("t", "n", "n + 1", "n = 0"), 2);
  action.batch.max_rows = 500;
  action.batch.target = planner::Duration(60'000);
  CHECK(run(target, action).end == AttemptEnd::done);
  // 25 blocks at a time, and what is left of each part
  CHECK(target.sql("SELECT sum(batches) <= max(upper[1]::int) / 25 + count(*) FROM "
                   "runbookd.backfill_shard WHERE pass = 2") == "t");
}

TEST_CASE("a backfill that is stopped leaves no vacuum at work behind it") {
  Target target;
  make_counters(target, 40'000);
  target.sql("ALTER TABLE t SET (autovacuum_enabled = off)");
  auto const who = tag(1);
  // a vacuum that takes as long as we look at it
  auto const slow = [&target, name = daemon::application_name(who)] {
    auto session = target.connect(name);
    (void)session->run("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1");
    return daemon::SqlResult<std::unique_ptr<daemon::Session>>(std::move(session));
  };
  constexpr auto ours =
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'VACUUM%' AND state = "
      "'active' AND datname = current_database()";
  std::stop_source stop;
  daemon::BackfillHelp helped{.one_more = slow};
  helped.stop = stop.get_token();
  helped.progress = [&](planner::Progress const&) {
    if (target.sql(ours) == "1") {
      stop.request_stop();
    }
  };
  auto const result =
      run_backfill(*target.connect("mover"), who, fill("t", "n", "n + 1"), 1, helped);
  CHECK(result.end == AttemptEnd::interrupted);
  CHECK(target.sql(ours) == "0");
}

TEST_CASE("a worker that gets no session leaves its part to the others, and that is told") {
  Target target;
  make_counters(target, 5'000);
  daemon::BackfillHelp none;
  none.one_more = [] {
    return daemon::SqlResult<std::unique_ptr<daemon::Session>>(tl::unexpected(
        daemon::SqlFailure{.sqlstate = "53300", .message = "too many clients already"}));
  };
  auto const result = run_backfill(*target.connect("mover"), tag(),
                                   with_workers(fill("t", "n", "n + 1"), 3), 1, none);
  CHECK(result.end == AttemptEnd::done);
  CHECK(result.note.find("too many clients already") != std::string::npos);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("the caller paces each batch: how long it waits, and how many workers there are") {
  Target target;
  make_counters(target, 6'000);
  std::set<int> worked;
  int refusals = 0;
  auto const who = tag();
  auto helped = help(target, who);
  helped.pace = [&](planner::LastBatch const& last) {
    if (refusals < 5) {
      ++refusals;
      return planner::Pace{.wait = planner::Duration(1)};
    }
    if (last.rows > 0) {
      worked.insert(last.worker);
    }
    return planner::Pace{.workers = 1};
  };
  auto const result = run_backfill(*target.connect("mover"), who,
                                   with_workers(fill("t", "n", "n + 1"), 4), 1, helped);
  CHECK(result.end == AttemptEnd::done);
  CHECK(refusals == 5);
  CHECK(worked == std::set<int>{0});
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a stop ends all workers behind their batch, and all go on where they were") {
  Target target;
  make_counters(target, 20'000);
  auto const what = with_workers(fill("t", "n", "n + 1"), 4);
  auto const first = run_until_first_batch(target, what);
  CHECK(first.end == AttemptEnd::interrupted);
  CHECK(std::to_string(first.rows) == target.sql("SELECT sum(n) FROM t"));
  CHECK(first.rows < 20'000);
  CHECK(target.sql("SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> "
                   "pg_backend_pid() AND datname = current_database()") == "0");
  auto const second = run(target, what, 2, 1);
  CHECK(second.end == AttemptEnd::done);
  CHECK(second.rows == 20'000 - first.rows);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("one worker's error ends all, and says where") {
  Target target;
  make_counters(target, 20'000);
  auto const result = run(target, with_workers(fill("t", "n", "1 / (9000 - id)"), 4));
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "22012");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "0");
}

TEST_CASE("a row that somebody holds stops one worker and not the others") {
  Target target;
  make_counters(target, 6'000);
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; UPDATE t SET n = n WHERE id = 700"));
  auto what = with_workers(fill("t", "n", "n + 1"), 2);
  what.lock.stall_budget = planner::Duration(20);
  auto const who = tag();
  auto session = target.connect("mover");
  Hands hands([&] { return run_backfill(*session, who, what, 1, help(target, who)); });
  target.until("SELECT count(*) = 1 FROM runbookd.backfill_shard WHERE NOT done");
  REQUIRE(holder->run("COMMIT"));
  CHECK(hands.result().end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("the mean rate goes on with the next attempt") {
  Target target;
  make_counters(target, 3'000);
  auto const what = fill("t", "n", "n + 1");
  REQUIRE(run_until_first_batch(target, what).end == AttemptEnd::interrupted);
  // as if the first attempt had been at it for an hour
  target.sql("UPDATE runbookd.backfill_shard SET worked_ms = 3600000");
  double mean = 0;
  REQUIRE(
      run_backfill(*target.connect("mover"), tag(2), what, 1,
                   {.progress = [&](planner::Progress const& p) { mean = p.mean_rows_per_second; }})
          .end == AttemptEnd::done);
  CHECK(mean > 0);
  CHECK(mean < 3'000.0 / 3'599.0);
}

TEST_CASE("what dead rows take is no estimate of rows") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) WITH (autovacuum_enabled = "
      "off); "
      "INSERT INTO t SELECT g FROM generate_series(1, 40000) g; ANALYZE t; UPDATE t SET n = n; "
      "UPDATE "
      "t SET n = n; UPDATE t SET n = n");
  std::int64_t total = 0;
  std::stop_source stop;
  run_backfill(*target.connect("mover"), tag(), fill("t", "n", "n + 1"), 1,
               {.stop = stop.get_token(), .progress = [&](planner::Progress const& p) {
                  total = p.rows_total;
                  stop.request_stop();
                }});
  CHECK(total > 32'000);
  CHECK(total < 48'000);
}

TEST_CASE("the space of filled rows is taken again while the backfill goes on") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int, pad text DEFAULT repeat('x', 200)) WITH "
      "(autovacuum_enabled = off); INSERT INTO t (id) SELECT g FROM generate_series(1, 120000) g");
  target.sql("VACUUM ANALYZE t");
  auto what = fill("t", "n", "id", "n IS NULL");
  what.batch.max_rows = 3'000;
  auto const before = std::stol(target.sql("SELECT pg_relation_size('t')"));
  CHECK(run(target, what).end == AttemptEnd::done);
  auto const after = std::stol(target.sql("SELECT pg_relation_size('t')"));
  CHECK(after < before * 14 / 10);
  CHECK(target.sql("SELECT bool_and(n = id) FROM t") == "t");
}

TEST_CASE("workers of a non-idempotent backfill cut at random moments change every row once") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int, k text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, k)); "
      "INSERT INTO t SELECT g % 10, 'k' || g FROM generate_series(1, 30000) g");
  auto what = with_workers(fill("t", "n", "n + 1"), 4);
  what.batch.max_rows = 200;
  auto const seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int lost = 0;
  int attempt = 1;
  for (auto end = AttemptEnd::lost; end != AttemptEnd::done; ++attempt) {
    REQUIRE(attempt < 500);
    auto const who = tag(attempt);
    auto const name = daemon::application_name(who);
    auto session = target.connect(name);
    Hands hands([&] { return run_backfill(*session, who, what, 1, help(target, who)); });
    if (lost < 25) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
      target.terminate(name);
    }
    end = hands.result().end;
    lost += end == AttemptEnd::lost ? 1 : 0;
    if (end == AttemptEnd::lost) {
      auto const doubt = daemon::settle_doubt(*target.connect("eyes"), who, what);
      REQUIRE(doubt);
      CHECK_FALSE(doubt->still_running);
    }
  }
  MESSAGE(lost << " cuts");
  CHECK(lost > 0);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  CHECK(target.sql("SELECT rows_scanned || ' ' || rows_changed FROM runbookd.backfill") ==
        "30000 30000");
}

TEST_CASE("a session of another worker that outlives the attempt is waited for") {
  Target target;
  make_counters(target, 10);
  auto const who = tag();
  auto helped = help(target, who);
  auto other = helped.one_more();
  REQUIRE(other);
  REQUIRE((*other)->run("BEGIN; SELECT 1"));
  auto const doubt = daemon::settle_doubt(*target.connect("eyes"), who, fill("t", "n", "n + 1"));
  REQUIRE(doubt);
  CHECK(doubt->still_running);
  CHECK(doubt->pid == (*other)->pid());
}
