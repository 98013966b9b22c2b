// Two daemons with one store: the older claim writes nothing any more.
#include "daemon/target/fence.h"

#include <chrono>
#include <future>
#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::Fences;
using daemon::run_transactional;
using planner::AttemptEnd;

namespace {

daemon::AttemptTag tag_of(daemon::FenceClaim const& claim, int attempt = 1) {
  auto result = tag(attempt);
  result.store = "store-9";
  result.fence = claim;
  return result;
}

planner::TargetIdentity const app{.database = "app", .system = "7", .timeline = "00000001"};

// Taken over from whoever has it.
daemon::FenceClaim claimed(Target const& target, Fences& fences, std::string const& name = "main") {
  auto const session = target.connect();
  auto const held = fences.holder(*session, name);
  REQUIRE(held);
  auto claim = fences.claim(*session, name, app, *held ? (*held)->id : "");
  REQUIRE(claim);
  return *claim;
}

bool says(daemon::AttemptResult const& result, std::string const& words) {
  return result.failure && result.failure->message.find(words) != std::string::npos;
}

struct TwoDaemons {
  Target target;
  Fences older{"store-9"}, newer{"store-9"};
  daemon::FenceClaim old_claim = claimed(target, older), new_claim = claimed(target, newer);
};

planner::BackfillAction fill() {
  planner::BackfillAction action;
  action.table = "t";
  action.set = {{"a", "t.a + 1"}};
  action.batch.max_rows = 10;
  action.batch.pause = {};
  return action;
}

}  // namespace

TEST_CASE_FIXTURE(TwoDaemons, "each daemon's claim is one higher, and a second question keeps it") {
  CHECK(old_claim.number == 1);
  CHECK(new_claim.number == 2);
  CHECK(claimed(target, older).number == 1);
  CHECK(claimed(target, older, "another name of it").number == 1);
}

TEST_CASE_FIXTURE(TwoDaemons, "a step under an older claim writes nothing and says who holds it") {
  auto const what = action("CREATE TABLE t (a int)");
  auto const stale = run_transactional(*target.connect(), tag_of(old_claim), what, never());
  CHECK(stale.end == AttemptEnd::fenced);
  CHECK(stale.failure->sqlstate == "RBF01");
  CHECK(says(stale, "number 2 is held by the daemon on "));
  CHECK(
      says(stale, ", pid " + target.sql("SELECT pid FROM runbookd.fence WHERE store = 'store-9'")));
  CHECK(says(stale, ", since 20"));
  CHECK(target.sql("SELECT to_regclass('t') IS NULL") == "t");
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "0");
  CHECK(run_transactional(*target.connect(), tag_of(new_claim), what, never()).end ==
        AttemptEnd::done);
}

TEST_CASE_FIXTURE(TwoDaemons, "a statement outside transactions is not sent under an older claim") {
  target.sql("CREATE TABLE t (a int)");
  auto const stale = run_concurrent(*target.connect(), tag_of(old_claim),
                                    action("CREATE INDEX CONCURRENTLY t_a ON t (a)"), 1, never());
  CHECK(stale.end == AttemptEnd::fenced);
  CHECK(target.sql("SELECT to_regclass('t_a') IS NULL") == "t");
  CHECK(target.sql("SELECT count(*) FROM runbookd.intent") == "0");
}

TEST_CASE_FIXTURE(TwoDaemons,
                  "a statement outside transactions waits for a session that set out before it") {
  target.sql("CREATE TABLE t (a int)");
  auto const build = action("CREATE INDEX CONCURRENTLY t_a ON t (a)");
  auto const ours = tag_of(new_claim, 2);
  auto before = tag_of(old_claim, 1);
  auto waits = [&] {
    auto const result = run_concurrent(*target.connect(), ours, build, 1, never());
    CHECK(result.end == AttemptEnd::busy);
    CHECK(says(result, "pg_terminate_backend("));
    return target.sql("SELECT to_regclass('t_a') IS NULL") == "t";
  };
  {
    auto const older_session = target.connect();
    REQUIRE(older_session->run("SET " + name_sql(*older_session, before)));
    CHECK(waits());
    before.direction = planner::Direction::backward;
    REQUIRE(older_session->run("SET " + name_sql(*older_session, before)));
    CHECK(waits());
    // its name was taken away, and it is in the middle of something
    REQUIRE(older_session->run(
        "RESET application_name; INSERT INTO runbookd.intent (store, run, phase, step, direction, "
        "attempt, label, kind, object, relation, statement, objects, relations, beside, "
        "backend_start) SELECT 'store-9', '" +
        ours.run + "', " + std::to_string(ours.ref.phase) + ", " + std::to_string(ours.ref.step) +
        ", 'f', 1, '', '', '', '', '', '{}', '{}', '{}', backend_start FROM pg_stat_activity WHERE "
        "pid = pg_backend_pid()"));
    CHECK(waits());
  }
  target.until(
      "SELECT count(*) = 0 FROM pg_stat_activity a JOIN runbookd.intent i ON a.pid = "
      "i.backend_pid");
  target.sql("DELETE FROM runbookd.intent");
  CHECK(run_concurrent(*target.connect(), ours, build, 1, never()).end == AttemptEnd::done);
}

TEST_CASE("a backfill that is overtaken ends after the batch that it was in") {
  Target target;
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, 0 FROM "
      "generate_series(1, 5000) g");
  Fences older("store-9");
  Fences newer("store-9");
  auto const claim = claimed(target, older);
  bool taken = false;
  auto const result = run_backfill(*target.connect(), tag_of(claim), fill(), 1,
                                   {.progress = [&](planner::Progress const&) {
                                     if (!std::exchange(taken, true)) {
                                       (void)claimed(target, newer);
                                     }
                                   }});
  REQUIRE(taken);
  CHECK(result.end == AttemptEnd::fenced);
  auto const changed = target.sql("SELECT count(*) FROM t WHERE a = 1");
  CHECK(changed != "5000");
  CHECK(changed == target.sql("SELECT sum(rows_changed) FROM runbookd.backfill_shard"));
  auto const rest =
      run_backfill(*target.connect(), tag_of(claimed(target, newer), 2), fill(), 1, {});
  CHECK(rest.end == AttemptEnd::done);
  CHECK(target.sql("SELECT count(*) FROM t WHERE a = 1") == "5000");
}

TEST_CASE("a backfill that is held back for long hears that it is overtaken") {
  Target target;
  target.sql("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 0)");
  Fences older("store-9");
  Fences newer("store-9");
  auto const claim = claimed(target, older);
  bool taken = false;
  auto const result =
      run_backfill(*target.connect(), tag_of(claim), fill(), 1, {.pace = [&](planner::LastBatch) {
        if (!std::exchange(taken, true)) {
          (void)claimed(target, newer);
        }
        return planner::Pace{.wait = planner::Duration(3'600'000)};
      }});
  CHECK(result.end == AttemptEnd::fenced);
  CHECK(target.sql("SELECT a FROM t") == "0");
}

TEST_CASE("a claim waits for the step that is under way, and the step is not harmed") {
  Target target;
  Fences older("store-9");
  Fences newer("store-9");
  auto const claim = claimed(target, older);
  auto session = target.connect("mover");
  Hands hands([&] {
    return run_transactional(*session, tag_of(claim),
                             action("CREATE TABLE t (a int); SELECT pg_sleep(0.3)"), never());
  });
  target.until("SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%sleep(0.3)'");
  auto const next = claimed(target, newer);
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
  CHECK(hands.result().end == AttemptEnd::done);
  CHECK(next.number == 2);
}

TEST_CASE_FIXTURE(TwoDaemons, "who was overtaken claims again only when a person says so") {
  auto const session = target.connect();
  CHECK(claimed(target, older).number == 1);
  older.forget("main");
  auto const refused = older.claim(*session, "main", app, "");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().sqlstate == "RBF01");
  CHECK(refused.error().message.find("pid ") != std::string::npos);
  CHECK_FALSE(older.claim(*session, "main", app, "the id of some other claim"));
  CHECK(target.sql("SELECT number FROM runbookd.fence WHERE store = 'store-9'") == "2");
  auto const holder = older.holder(*session, "main");
  REQUIRE(holder.value());
  CHECK(older.claim(*session, "main", app, (*holder)->id)->number == 3);
  CHECK_FALSE(older.holder(*session, "main").value());
}

TEST_CASE("a claim whose daemon is gone is taken over unasked, any other is not") {
  Target target;
  auto const session = target.connect();
  auto const here = daemon::whereabouts("/proc/self/exe");
  Fences first("store-9", here);
  REQUIRE(first.claim(*session, "main", app, ""));
  auto elsewhere = here;
  elsewhere.store_file = "7:7";
  Fences copy("store-9", elsewhere);
  CHECK_FALSE(copy.claim(*session, "main", app, ""));  // our own process lives
  target.sql("UPDATE runbookd.fence SET pid_start = '1'");
  CHECK(copy.claim(*session, "main", app, "")->number == 2);
  Fences restarted("store-9", elsewhere);
  CHECK(restarted.claim(*session, "main", app, "")->number == 3);
  target.sql("UPDATE runbookd.fence SET boot = NULL");  // as an older daemon wrote it
  Fences younger("store-9", elsewhere);
  CHECK_FALSE(younger.claim(*session, "main", app, ""));
}

TEST_CASE("the fence of an older daemon is brought up to date") {
  Target target;
  target.sql(
      "ALTER TABLE runbookd.fence DROP COLUMN machine, DROP COLUMN boot, DROP COLUMN pid_space, "
      "DROP COLUMN pid_start, DROP COLUMN address, DROP COLUMN store_file; INSERT INTO "
      "runbookd.fence (store, number, holder, host, pid) VALUES ('store-9', 4, 'x', 'db7', 812)");
  auto const session = target.connect();
  REQUIRE(prepare_target(*session));
  Fences fences("store-9");
  auto const holder = fences.holder(*session, "main");
  REQUIRE(holder.value());
  CHECK((*holder)->pid == 812);
  CHECK(fences.claim(*session, "main", app, "x")->number == 5);
}

TEST_CASE_FIXTURE(TwoDaemons, "an attempt whose marker is there is not made a second time") {
  auto const what = action("CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t VALUES (1)");
  REQUIRE(run_transactional(*target.connect(), tag_of(new_claim), what, never()).end ==
          AttemptEnd::done);
  auto const again = run_transactional(*target.connect(), tag_of(new_claim), what, never());
  CHECK(again.end == AttemptEnd::lost);
  CHECK(settle_doubt(*target.connect(), tag_of(new_claim), what)->answer ==
        planner::Doubt::applied);
  CHECK(target.sql("SELECT count(*) FROM t") == "1");
}

TEST_CASE_FIXTURE(TwoDaemons, "a store that is older than the target's markers is told so") {
  auto const what = action("SELECT 1");
  REQUIRE(run_transactional(*target.connect(), tag_of(new_claim, 4), what, never()).end ==
          AttemptEnd::done);
  auto const behind = run_transactional(*target.connect(), tag_of(new_claim, 3), what, never());
  CHECK(behind.end == AttemptEnd::fenced);
  CHECK(behind.failure->sqlstate == "RBF03");
  CHECK(says(behind, "attempt 4"));
}

TEST_CASE_FIXTURE(TwoDaemons, "what another daemon did of the run is named, step by step") {
  auto const what = action("SELECT 1");
  auto back = tag_of(new_claim, 2);
  back.direction = planner::Direction::backward;
  REQUIRE(run_transactional(*target.connect(), back, what, never()).end == AttemptEnd::done);
  auto const session = target.connect();
  CHECK(expect_known(*session, back.store, back.run, {{.ref = back.ref, .attempts = 2}}));
  auto const behind =
      expect_known(*session, back.store, back.run, {{.ref = back.ref, .attempts = 1}});
  REQUIRE_FALSE(behind);
  CHECK(behind.error().sqlstate == "RBF03");
  CHECK(behind.error().message.find("step " + back.label + " was taken back at 20") !=
        std::string::npos);
}

TEST_CASE("a store meets the open run of another: told who, which run, and the way out") {
  Target target;
  Fences first("store-9");
  Fences second("store-8");
  auto one = tag_of(claimed(target, first));
  REQUIRE(open_run(*target.connect(), one, "users-org-id"));
  REQUIRE(open_run(*target.connect(), one, "users-org-id"));
  auto two = tag_of(claimed(target, second));
  two.store = "store-8";
  auto const refused = open_run(*target.connect(), two, "other");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().sqlstate == "RBF04");
  for (auto const* words : {"run run_0123456789ab", "plan users-org-id", "store store-9", "pid "}) {
    CHECK(refused.error().message.find(words) != std::string::npos);
  }
  CHECK(target.sql("SELECT count(*) FROM runbookd.run") == "1");
  auto const& message = refused.error().message;
  target.sql(message.substr(message.find("UPDATE ")));  // the way out that it names
  CHECK(open_run(*target.connect(), two, "other"));
}

TEST_CASE("a run that has ended is in nobody's way") {
  Target target;
  Fences first("store-9");
  Fences second("store-8");
  auto const one = tag_of(claimed(target, first));
  REQUIRE(open_run(*target.connect(), one, "users-org-id"));
  REQUIRE(close_run(*target.connect(), one.store, one.run, one.fence));
  auto two = tag_of(claimed(target, second));
  two.store = "store-8";
  CHECK(open_run(*target.connect(), two, "other"));
}
