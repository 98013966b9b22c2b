#include "tests/target/backfill.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/target/fence.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::run_backfill;
using planner::AttemptEnd;

TEST_CASE("a backfill changes every row that needs it, once, and leaves marker and cursor") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, old int); "
      "INSERT INTO t (id, old) SELECT g, g % 3 FROM generate_series(1, 2000) g");
  auto const result = run(target, fill("t", "n", "t.n + old + 1", "t.old > 0"));
  CHECK(result.end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = CASE WHEN old > 0 THEN old + 1 ELSE 0 END) FROM t") == "t");
  CHECK(std::to_string(result.rows) == target.sql("SELECT count(*) FROM t WHERE old > 0"));
  CHECK(target.sql(
            "SELECT rows_scanned || ' ' || done || ' ' || (batches > 3)::text || ' ' || relation "
            "FROM runbookd.backfill") == "2000 true true public.t");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("other tables are joined as the plan says, and the table keeps its own name") {
  Target target;
  target.sql(
      "CREATE SCHEMA app; CREATE TABLE app.accounts (id int PRIMARY KEY, org int); "
      "CREATE TABLE app.users (id int PRIMARY KEY, account_id int, org_id int); "
      "INSERT INTO app.accounts SELECT g, g * 10 FROM generate_series(1, 50) g; "
      "INSERT INTO app.users SELECT g, g % 60, NULL FROM generate_series(1, 1000) g");
  auto what = fill("app.users", "org_id", "accounts.org",
                   "users.account_id = accounts.id AND users.org_id IS NULL -- done");
  what.from = "app.accounts";
  CHECK(run(target, what).end == AttemptEnd::done);
  CHECK(target.sql("SELECT count(*) FROM app.users WHERE org_id IS DISTINCT FROM "
                   "CASE WHEN account_id BETWEEN 1 AND 50 THEN account_id * 10 END") == "0");
}

TEST_CASE("the author's expressions see the settings of the role") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, d date, s text); INSERT INTO t VALUES (1, '2026-03-04', "
      "NULL)");
  target.sql("ALTER DATABASE " + target.name() + " SET datestyle = 'German'");
  CHECK(run(target, fill("t", "s", "d::text")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT s FROM t") == "04.03.2026");
}

TEST_CASE("a table that is not there and a view are refused") {
  Target target;
  target.sql("CREATE VIEW v AS SELECT 1 AS n");
  CHECK(run(target, fill("nowhere", "n", "1")).failure->sqlstate == "42P01");
  CHECK(run(target, fill("v", "n", "1")).failure->sqlstate == "42809");
}

TEST_CASE("an empty table is done at once") {
  Target target;
  target.sql("CREATE TABLE t (id int PRIMARY KEY, n int)");
  CHECK(run(target, fill("t", "n", "1")).end == AttemptEnd::done);
  CHECK(target.sql("SELECT done FROM runbookd.backfill") == "t");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("a stop ends the backfill at a batch's end and the next attempt goes on there") {
  Target target;
  make_counters(target, 3000);
  std::stop_source stop;
  auto const first =
      run_backfill(*target.connect("mover"), tag(1), fill("t", "n", "n + 1"), 1,
                   {.stop = stop.get_token(),
                    .progress = [&](planner::Progress const&) { stop.request_stop(); }});
  CHECK(first.end == AttemptEnd::interrupted);
  CHECK(first.rows == 300);
  CHECK(target.sql("SELECT sum(n) FROM t") == "300");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "0");
  auto const second = run(target, fill("t", "n", "n + 1"), 2, 1);
  CHECK(second.end == AttemptEnd::done);
  CHECK(second.rows == 2700);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("every end tells how far all attempts of the series have come, and so does the target") {
  Target target;
  make_counters(target, 2000);
  std::stop_source stop;
  auto const what = fill("t", "n", "n + 1");
  auto const first =
      run_backfill(*target.connect("mover"), tag(1), what, 1,
                   {.stop = stop.get_token(),
                    .progress = [&](planner::Progress const&) { stop.request_stop(); }});
  REQUIRE(first.end == AttemptEnd::interrupted);
  REQUIRE(first.filled);
  auto const changed = target.sql("SELECT count(*) FROM t WHERE n = 1");
  CHECK(std::to_string(first.filled->changed) == changed);
  CHECK(first.filled->scanned < 2000);
  CHECK(daemon::read_filled(*target.connect(), tag(1), 1).value() == first.filled);
  auto const second = run(target, what, 2, 1);
  CHECK(second.rows == 2000 - first.filled->changed);
  CHECK(second.filled == planner::Filled{.scanned = 2000, .changed = 2000, .total = 2000});
  CHECK(daemon::read_filled(*target.connect(), tag(2), 1).value() == second.filled);
  CHECK_FALSE(daemon::read_filled(*target.connect(), tag(3), 3).value());
}

TEST_CASE("what is to be done is estimated once, not anew from a table that the backfill bloats") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) WITH (autovacuum_enabled = "
      "off); INSERT INTO t SELECT g FROM generate_series(1, 3000) g; ANALYZE t");
  auto const what = fill("t", "n", "n + 1");
  std::stop_source stop;
  run_backfill(*target.connect("mover"), tag(1), what, 1,
               {.stop = stop.get_token(),
                .progress = [&](planner::Progress const&) { stop.request_stop(); }});
  target.sql("UPDATE t SET n = n; UPDATE t SET n = n");
  std::vector<std::int64_t> totals;
  run_backfill(*target.connect("mover"), tag(2), what, 1,
               {.progress = [&](planner::Progress const& progress) {
                 totals.push_back(progress.rows_total);
               }});
  REQUIRE_FALSE(totals.empty());
  CHECK(totals.front() == 3000);
}

TEST_CASE("a backfill that gets no row lock says since when, and promises no end") {
  Target target;
  make_counters(target, 3000);
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; SELECT * FROM t WHERE id = 2000 FOR UPDATE"));
  std::vector<planner::Progress> seen;
  auto const result = run_backfill(*target.connect("mover"), tag(), fill("t", "n", "n + 1"), 1,
                                   {.progress = [&](planner::Progress const& progress) {
                                     seen.push_back(progress);
                                     if (progress.stalled > planner::Duration{} && holder) {
                                       holder.reset();
                                     }
                                   }});
  CHECK(result.end == AttemptEnd::done);
  auto const stalled =
      std::ranges::find_if(seen, [](auto const& one) { return one.stalled.count() > 0; });
  REQUIRE(stalled != seen.end());
  CHECK(stalled->rows_per_second == 0);
  CHECK_FALSE(planner::eta(*stalled));
  CHECK(seen.back().stalled == planner::Duration{});
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a new series begins anew, an old one that is done does nothing") {
  Target target;
  make_counters(target, 500);
  auto const what = fill("t", "n", "n + 1");
  CHECK(run(target, what, 1, 1).rows == 500);
  auto const again = run(target, what, 2, 1);
  CHECK(again.end == AttemptEnd::done);
  CHECK(again.rows == 0);
  CHECK(run(target, what, 4, 4).rows == 500);
  CHECK(target.sql("SELECT bool_and(n = 2) FROM t") == "t");
}

TEST_CASE("rows beyond the greatest key of the beginning are left alone") {
  Target target;
  make_counters(target, 1000);
  bool inserted = false;
  auto const result =
      run_backfill(*target.connect("mover"), tag(), fill("t", "n", "n + 1"), 1,
                   {.progress = [&](planner::Progress const&) {
                     if (!inserted) {
                       target.sql("INSERT INTO t SELECT g FROM generate_series(1001, 1500) g");
                     }
                     inserted = true;
                   }});
  CHECK(result.end == AttemptEnd::done);
  CHECK(target.sql("SELECT sum(n) FROM t") == "1000");
}

TEST_CASE("a locked row makes the batches smaller and the backfill waits for it") {
  Target target;
  make_counters(target, 1000);
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; UPDATE t SET n = n WHERE id = 700"));
  auto what = fill("t", "n", "n + 1");
  what.lock.stall_budget = planner::Duration(20);
  auto session = target.connect("mover");
  Hands hands([&] { return run_backfill(*session, tag(), what, 1, {}); });
  target.until("SELECT count(*) > 0 FROM runbookd.backfill_shard WHERE rows_scanned >= 600");
  REQUIRE(holder->run("COMMIT"));
  CHECK(hands.result().end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a row that stays locked beyond give_up_after leaves the backfill busy") {
  Target target;
  make_counters(target, 10);
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; UPDATE t SET n = n WHERE id = 7"));
  auto what = fill("t", "n", "n + 1");
  what.lock = {.stall_budget = planner::Duration(5), .give_up_after = planner::Duration(100)};
  auto const result = run(target, what);
  CHECK(result.end == AttemptEnd::busy);
  CHECK(result.failure->sqlstate == "55P03");
}

TEST_CASE("a batch that runs into statement_timeout is tried again smaller") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM "
      "generate_series(1, 60) g; "
      "CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1 FROM pg_sleep(0.02)'");
  auto what = fill("t", "n", "slow(n)");
  what.statement_timeout = planner::Duration(1'000);
  CHECK(run(target, what).end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("an error in the author's expression fails the step and keeps what was done") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g FROM generate_series(1, "
      "1000) g");
  auto const result = run(target, fill("t", "n", "1 / (650 - id)"));
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->sqlstate == "22012");
  CHECK(result.rows == 600);
  // where to look: the very rows
  auto const& said = result.failure->message;
  auto const look = said.substr(said.find("SELECT * FROM"));
  CHECK(target.sql("SELECT min(id) = 601 AND max(id) >= 650 FROM (" + look + ") AS it") == "t");
  CHECK(target.sql("SELECT count(n) FROM t") == "600");
}

TEST_CASE("a key that changed since the beginning is not walked on") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, other int, n int NOT NULL DEFAULT 0); "
      "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g");
  std::stop_source stop;
  REQUIRE(run_backfill(*target.connect(), tag(1), fill("t", "n", "n + 1"), 1,
                       {.stop = stop.get_token(),
                        .progress = [&](planner::Progress const&) { stop.request_stop(); }})
              .end == AttemptEnd::interrupted);
  target.sql("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (other)");
  auto const result = run(target, fill("t", "n", "n + 1"), 2, 1);
  CHECK(result.end == AttemptEnd::failed);
  CHECK(result.failure->message.find("has changed since this backfill began") != std::string::npos);
}

TEST_CASE("progress counts up to the exact total") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM "
      "generate_series(1, 3000) g; ANALYZE t");
  std::vector<planner::Progress> seen;
  REQUIRE(run_backfill(*target.connect(), tag(), fill("t", "n", "n + 1"), 1,
                       {.progress = [&](planner::Progress const& p) { seen.push_back(p); }})
              .end == AttemptEnd::done);
  REQUIRE(seen.size() >= 2);
  CHECK(seen.front().rows_total == 3000);
  CHECK_FALSE(seen.front().total_exact);
  CHECK(seen.front().rows_scanned == 300);
  CHECK(seen.back().rows_scanned == 3000);
  CHECK(seen.back().rows_changed == 3000);
  CHECK(seen.back().total_exact);
  CHECK(seen.back().mean_rows_per_second > 0);
}

TEST_CASE("two executors of one series never change a row twice") {
  Target target;
  make_counters(target, 4000);
  auto what = fill("t", "n", "n + 1");
  what.lock.stall_budget = planner::Duration(10'000);
  auto first = target.connect("first");
  auto second = target.connect("second");
  Hands one([&] { return run_backfill(*first, tag(1), what, 1, {}); });
  Hands other([&] { return run_backfill(*second, tag(2), what, 1, {}); });
  // the older one may find the marker of the newer one
  auto const older = one.result();
  bool const overtaken = older.failure && older.failure->sqlstate == daemon::store_behind_code;
  CHECK((older.end == AttemptEnd::done || overtaken));
  CHECK(other.result().end == AttemptEnd::done);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
}

TEST_CASE("a non-idempotent backfill cut at random moments changes every row exactly once") {
  Target target;
  target.sql(
      "CREATE TABLE t (a int, k text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, k)); "
      "INSERT INTO t SELECT g % 10, 'k' || g FROM generate_series(1, 20000) g");
  auto what = fill("t", "n", "n + 1");
  what.batch.max_rows = 200;
  auto const seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  int lost = 0;
  int attempt = 1;
  for (auto end = AttemptEnd::lost; end != AttemptEnd::done; ++attempt) {
    REQUIRE(attempt < 500);
    auto const name = daemon::application_name(tag(attempt));
    auto session = target.connect(name);
    Hands hands([&] { return run_backfill(*session, tag(attempt), what, 1, {}); });
    if (lost < 25) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
      target.terminate(name);
    }
    end = hands.result().end;
    lost += end == AttemptEnd::lost ? 1 : 0;
    if (end == AttemptEnd::lost) {
      auto const doubt = daemon::settle_doubt(*target.connect("eyes"), tag(attempt), what);
      REQUIRE(doubt);
      bool const marked = target.sql("SELECT count(*) = 1 FROM runbookd.marker WHERE attempt = " +
                                     std::to_string(attempt)) == "t";
      CHECK((doubt->answer == planner::Doubt::applied) == marked);
    }
  }
  MESSAGE(lost << " cuts");
  CHECK(lost > 0);
  CHECK(target.sql("SELECT bool_and(n = 1) FROM t") == "t");
  CHECK(target.sql("SELECT rows_scanned || ' ' || rows_changed FROM runbookd.backfill") ==
        "20000 20000");
}
