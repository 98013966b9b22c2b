#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::settle_doubt;
using planner::AttemptEnd;
using planner::Doubt;

namespace {

daemon::DoubtAnswer settle(Target const& target, planner::Action const& what, int attempt = 1) {
  auto const answer = settle_doubt(*target.connect("eyes"), tag(attempt), what);
  REQUIRE(answer);
  return *answer;
}

// Runs a step whose backend is ended as soon as `when` is true.
daemon::AttemptResult cut(Target const& target, planner::SqlAction const& what,
                          std::string const& when) {
  auto session = target.connect(daemon::application_name(tag()));
  Hands hands([&] {
    return what.transactional() ? daemon::run_transactional(*session, tag(), what, never())
                                : daemon::run_concurrent(*session, tag(), what, 1, never());
  });
  target.until(when);
  target.terminate("runbookd/");
  return hands.result();
}

constexpr auto sleeping = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

// While it lives, a commit with synchronous_commit = on waits for ever.
struct AskingStandby {
  AskingStandby() { name("'nobody'"); }
  ~AskingStandby() { name("''"); }
  AskingStandby(AskingStandby const&) = delete;
  AskingStandby& operator=(AskingStandby const&) = delete;
  static void name(std::string const& standby) {
    server().sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = " + standby);
    server().sql("postgres", "SELECT pg_reload_conf()");
    auto const shown = "SHOW synchronous_standby_names";
    while (server().sql("postgres", shown).empty() != (standby == "''")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
};

}  // namespace

TEST_CASE("an attempt cut before its commit is settled as not applied") {
  Target target;
  auto const what = action("CREATE TABLE t (a int); SELECT pg_sleep(30)");
  CHECK(cut(target, what, sleeping).end == AttemptEnd::lost);
  auto const answer = settle(target, what);
  CHECK(answer.answer == Doubt::not_applied);
  CHECK(target.sql("SELECT to_regclass('t') IS NULL") == "t");
}

TEST_CASE("an attempt cut between its commit and the answer is settled as applied") {
  Target target;
  // a commit that asks for the answer of a standby that is not there waits for ever
  AskingStandby const asking;
  auto const what = action("CREATE TABLE t (a int)");
  auto const result =
      cut(target, what, "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  CHECK(result.end == AttemptEnd::lost);
  CHECK(result.failure->message.find("after COMMIT was sent") != std::string::npos);
  CHECK(settle(target, what).answer == Doubt::applied);
  CHECK(target.sql("SELECT to_regclass('t') IS NOT NULL") == "t");
}

TEST_CASE("while the old backend lives the doubt is not settled") {
  Target target;
  auto const what = action("SELECT pg_sleep(30)");
  auto session = target.connect(daemon::application_name(tag()));
  Hands hands([&] { return daemon::run_transactional(*session, tag(), what, never()); });
  target.until(sleeping);
  auto const waiting = settle(target, what);
  CHECK(waiting.still_running);
  CHECK(waiting.pid == session->pid());
  target.terminate("runbookd/");
  (void)hands.result();
  CHECK_FALSE(settle(target, what).still_running);
}

TEST_CASE("the marker of another attempt, direction or store proves nothing") {
  Target target;
  auto const what = action("CREATE TABLE t (a int)");
  REQUIRE(daemon::run_transactional(*target.connect(), tag(1), what, never()).end ==
          AttemptEnd::done);
  CHECK(settle(target, what, 1).answer == Doubt::applied);
  CHECK(settle(target, what, 2).answer == Doubt::not_applied);
  auto back = tag(1, planner::Direction::backward);
  CHECK(settle_doubt(*target.connect(), back, what)->answer == Doubt::not_applied);
  auto other = tag(1);
  other.store = "store-2";
  CHECK(settle_doubt(*target.connect(), other, what)->answer == Doubt::not_applied);
}

TEST_CASE("a concurrent statement without its intent row was never sent") {
  Target target;
  auto const answer = settle(target, action("VACUUM"));
  CHECK(answer.answer == Doubt::not_applied);
}

TEST_CASE("an old session that goes by another name is known by its intent row") {
  Target target;
  auto const what = action("VACUUM t");
  target.sql("CREATE TABLE t (a int)");
  auto holder = target.connect("holder");
  REQUIRE(holder->run("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"));
  auto session = target.connect("somebody");
  Hands hands([&] { return daemon::run_concurrent(*session, tag(), what, 1, never()); });
  target.until("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
  auto const waiting = settle(target, what);
  CHECK(waiting.still_running);
  CHECK(waiting.pid == session->pid());
  CHECK(waiting.evidence.find("VACUUM t") != std::string::npos);
  REQUIRE(holder->run("COMMIT"));
  CHECK(hands.result().end == AttemptEnd::done);
}

TEST_CASE("ALTER TYPE … ADD VALUE stands in a transaction and is settled by its marker") {
  Target target;
  target.sql("CREATE TYPE mood AS ENUM ('sad')");
  auto const labels = "SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum";
  auto const cut_short = action("ALTER TYPE mood ADD VALUE 'glad'; SELECT pg_sleep(30)");
  REQUIRE(cut_short.transactional());
  CHECK(cut(target, cut_short, sleeping).end == AttemptEnd::lost);
  CHECK(settle(target, cut_short).answer == Doubt::not_applied);
  CHECK(target.sql(labels) == "sad");
  auto const what = action("ALTER TYPE mood ADD VALUE 'glad'");
  REQUIRE(daemon::run_transactional(*target.connect(), tag(2), what, never()).end ==
          AttemptEnd::done);
  CHECK(settle(target, what, 2).answer == Doubt::applied);
  CHECK(target.sql(labels) == "sad,glad");
}

TEST_CASE("a target that lost our tables makes the doubt unknowable") {
  Target target;
  target.sql("DROP SCHEMA runbookd CASCADE");
  CHECK(settle(target, action("CREATE TABLE t (a int)")).answer == Doubt::unknowable);
}
