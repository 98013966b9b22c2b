// How far a backfill is, also while nobody works on it.
#include "planner/view_fill.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr Filled forty{.scanned = 400, .changed = 300, .total = 1000};

Life filling() {
  Life life(whole_plan());
  life.start();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  return life;
}

json fill_step(Life const& life) { return life.step(1, 0); }

void lose_and_settle(Life& life, std::optional<Filled> filled) {
  life.end_try({.end = AttemptEnd::lost, .failure = SqlFailure{.message = "connection reset"}});
  auto const ref = life.state.current.value();
  life.tell(DoubtAnswered{.ref = ref,
                          .attempt = life.state.at(ref).attempts,
                          .answer = Doubt::not_applied,
                          .evidence = "no marker",
                          .filled = filled});
}

std::string event_message(Life const& life, EventBody const& body) {
  auto const text = event_json(life.plan, {"run_1"}, 7, {.at = life.now, .body = body});
  return json::parse(text)["message"];
}

TEST_CASE("a paused backfill shows how far it is, and that it goes on from there") {
  auto life = filling();
  life.ask(Pause{}, "ben");
  life.end_try({.end = AttemptEnd::interrupted, .rows = 300, .filled = forty, .note = "stopped"});
  life.go_on();
  auto const step = fill_step(life);
  CHECK(step["backfill"]["rows_scanned"] == 400);
  CHECK(step["backfill"]["rows_changed"] == 300);
  CHECK(step["backfill"]["percent"] == 40.0);
  CHECK(step["backfill"]["total_exact"] == false);
  CHECK(step["rows"] == 300);
  CHECK(step["message"] == "stopped; so far 40.0 %, 300 rows changed, which stay");
  CHECK(life.message() ==
        "paused by ben; step backfill/fill was interrupted; so far 40.0 %, 300 rows changed, which "
        "stay, and it goes on from there; to go on: runbookctl resume run_0a1b2c3d4e5f");
}

TEST_CASE("a word for a time tells what holds after it") {
  auto life = filling();
  life.ask(Throttle{.to = Throttle::To::ratio, .percent = 30}, "ana");
  life.ask(Throttle{.to = Throttle::To::stop, .lasts = 8min}, "ben");
  CHECK(life.message().ends_with(
      "; throttle: stopped by ben for 8 min more; after that: slowed to 30 % by ana"));
  life.now += 8min;
  CHECK(life.message().ends_with("; throttle: slowed to 30 % by ana"));
  life.ask(Throttle{.to = Throttle::To::stop, .lasts = 8min}, "ben");
  life.ask(Throttle{.to = Throttle::To::off}, "ana");
  CHECK_FALSE(life.snapshot().contains("throttle"));
}

TEST_CASE("a person's word is shown with the backfill, while it runs and while it is paused") {
  auto life = filling();
  life.ask(Throttle{.to = Throttle::To::ratio, .percent = 30, .lasts = 8min}, "ben", "p99 is up");
  CHECK(life.snapshot()["throttle"]["percent"] == 30);
  CHECK(life.snapshot()["throttle"]["message"] ==
        "slowed to 30 % by ben for 8 min more: p99 is up");
  life.ask(Pause{}, "ana");
  life.end_try({.end = AttemptEnd::interrupted, .filled = forty, .note = "stopped"});
  life.go_on();
  CHECK(life.snapshot()["throttle"]["actor"] == "ben");
  CHECK(life.message().find("; throttle: slowed to 30 % by ben for 8 min more: p99 is up; to go "
                            "on: runbookctl resume") != std::string::npos);
  life.ask(Throttle{.to = Throttle::To::exempt}, "eve", "nobody reads the standby");
  CHECK(life.message().find("; throttle: no signal slows it by eve: nobody reads the standby") !=
        std::string::npos);
  life.ask(Resume{});
  life.go_until("fill");
  life.end_try({.end = AttemptEnd::done, .rows = 300, .filled = forty});
  CHECK_FALSE(life.snapshot().contains("throttle"));
}

TEST_CASE("a stop is what the run waits for, and nobody is told when it ends") {
  auto life = filling();
  life.live.activity = "throttled";
  life.live.progress = Progress{.rows_scanned = 400,
                                .rows_changed = 300,
                                .rows_total = 1000,
                                .rows_per_second = 50,
                                .mean_rows_per_second = 50};
  CHECK(life.snapshot()["live"]["backfill"].contains("eta_ms"));
  life.live.throttling =
      Throttling{.speed = {.share = 0,
                           .cause = Speed::Cause::signal,
                           .measure = Measure{Signal::lock_waiters, 1, 1, "pid 17 (psql)"},
                           .since = life.now - 3s},
                 .running = 60s,
                 .throttled = 15s};
  auto const run = life.snapshot();
  CHECK(run["current"]["activity"] == "throttled");
  CHECK(run["waiting_on"][0]["kind"] == "throttle");
  CHECK_FALSE(run["live"]["backfill"].contains("eta_ms"));
  CHECK(run["live"]["throttle"]["state"] == "stopped");
  CHECK(run["live"]["throttle"]["throttled_percent"] == 25);
  CHECK(run["live"]["throttle"]["signal"]["name"] == "lock_waiters");
  CHECK(life.message() ==
        "step backfill/fill is filling in: 40.0 %, 300 rows changed; stopped for 3 s: 1 session "
        "waits for our locks (pid 17 (psql)), limit 1");
}

TEST_CASE("who slows a backfill, and until when, is told as what has happened") {
  auto const life = filling();
  CHECK(event_message(life, RunThrottled{.percent = 30}) == "the backfill is slowed to 30 %");
  CHECK(event_message(life, RunThrottled{.percent = 0, .until = Moment{}}) ==
        "the backfill is to stand still, until 1970-01-01T00:00:00.000Z");
  CHECK(event_message(life, RunThrottled{.exempt = true}) == "no signal slows the backfill now");
  CHECK(event_message(life, ThrottleLifted{}) == "the backfill is not held back by hand any more");
}

TEST_CASE("a failed backfill says what stays") {
  auto life = filling();
  life.end_try({.end = AttemptEnd::failed,
                .failure = SqlFailure{.sqlstate = "22012", .message = "division by zero"},
                .filled = forty});
  CHECK(life.message().starts_with(
      "step backfill/fill failed: ERROR 22012: division by zero; so far 40.0 %, 300 rows changed, "
      "which stay; to try again: "));
  CHECK(fill_step(life)["backfill"]["percent"] == 40.0);
}

TEST_CASE("one that failed before its first batch says that too") {
  auto life = filling();
  life.end_try({.end = AttemptEnd::failed,
                .failure = SqlFailure{.sqlstate = "42P01", .message = "no t"},
                .filled = Filled{.total = 1000}});
  CHECK(life.message().starts_with(
      "step backfill/fill failed: ERROR 42P01: no t; no batch of it was committed; to try again"));
}

TEST_CASE("a backfill that was cut off had taken effect, batch by batch") {
  auto life = filling();
  lose_and_settle(life, forty);
  CHECK(fill_step(life)["backfill"]["rows_changed"] == 300);
  StepRef const fill{.phase = 1, .step = 0};
  CHECK(event_message(life, DoubtSettled{.ref = fill,
                                         .answer = Doubt::not_applied,
                                         .evidence = "no marker",
                                         .filled = forty}) ==
        "step backfill/fill was cut off: no marker; so far 40.0 %, 300 rows changed, which stay, "
        "and it goes on from there");
  CHECK(event_message(life, DoubtSettled{.ref = fill, .answer = Doubt::not_applied}) ==
        "step backfill/fill was cut off; what its batches committed stays, and it goes on from "
        "there");
  CHECK(event_message(life, DoubtSettled{.answer = Doubt::not_applied}) ==
        "step expand/add had not taken effect");
}

TEST_CASE("while nobody knows how a backfill ended, what was heard of it stays shown") {
  auto life = filling();
  life.end_try({.end = AttemptEnd::lost,
                .failure = SqlFailure{.message = "connection reset"},
                .filled = forty});
  auto const ref = life.state.current.value();
  CHECK(fill_step(life)["backfill"]["rows_scanned"] == 400);
  CHECK(life.message() ==
        "finding out how step backfill/fill ended; so far 40.0 %, 300 rows changed, which stay");
  life.tell(DoubtUnanswered{.ref = ref, .failure = {.message = "connection refused"}});
  CHECK(fill_step(life)["backfill"]["rows_scanned"] == 400);
  CHECK(life.message().find("; so far 40.0 %, 300 rows changed, which stay; asked again at ") !=
        std::string::npos);
  life.ask(Pause{}, "ben");
  CHECK(life.message().find("so far 40.0 %") != std::string::npos);
  // the target knows better
  life.tell(DoubtAnswered{.ref = ref,
                          .attempt = life.state.at(ref).attempts,
                          .answer = Doubt::not_applied,
                          .filled = Filled{.scanned = 500, .changed = 350, .total = 1000}});
  CHECK(fill_step(life)["backfill"]["rows_scanned"] == 500);
}

TEST_CASE("a doubt about a target that is away says whether the run needs a person") {
  auto life = filling();
  life.end_try({.end = AttemptEnd::lost, .failure = SqlFailure{.message = "connection reset"}});
  auto const ref = life.state.current.value();
  life.tell(DoubtUnanswered{.ref = ref, .failure = {.message = "connection refused"}});
  CHECK(life.message().ends_with(", and the run goes on by itself once that is answered"));
  life.ask(Pause{}, "ben");
  CHECK(life.message().find("goes on by itself") == std::string::npos);
}

TEST_CASE("after a restart of the daemon only a plan that says so goes on by itself") {
  for (auto const rule : {OnRestart::pause, OnRestart::resume}) {
    auto life = filling();
    life.plan.on_restart = rule;
    life.tell(Restarted{});
    life.tell(
        DoubtUnanswered{.ref = life.state.current.value(), .failure = {.message = "refused"}});
    CHECK((life.message().find("goes on by itself") != std::string::npos) ==
          (rule == OnRestart::resume));
  }
}

TEST_CASE("a backfill that loses its session again and again is not said to have done nothing") {
  auto life = filling();
  for (int i = 0; i < 4; ++i) {  // the first one is not counted: it got somewhere
    life.announce();
    lose_and_settle(life, forty);
  }
  CHECK(life.snapshot()["state"] == "failed");
  CHECK(life.message().find("nothing of them was applied") == std::string::npos);
  CHECK(life.message().find("so far 40.0 %, 300 rows changed, which stay") != std::string::npos);
}

TEST_CASE("the rows of a backfill are those of all its attempts") {
  auto life = filling();
  life.ask(Pause{});
  life.end_try({.end = AttemptEnd::interrupted, .rows = 300, .filled = forty});
  life.go_on();
  life.ask(Resume{});
  life.go_until("fill");
  CHECK(life.message() ==
        "step backfill/fill is being carried out, attempt 2, from 40.0 %, 300 rows changed on");
  life.end_try({.rows = 500, .filled = Filled{.scanned = 1100, .changed = 800, .total = 1100}});
  auto const step = fill_step(life);
  CHECK(step["rows"] == 800);
  CHECK(step["backfill"]["total_exact"] == true);
  auto const attempts = json::parse(step_json(life.facts(), {.phase = 1, .step = 0}))["attempts"];
  CHECK(attempts[0]["rows"].is_null());
  CHECK(attempts[0]["backfill"]["rows_changed"] == 300);
  CHECK(attempts[1]["rows"] == 500);
}

TEST_CASE("what is done says its rows, and those of earlier attempts") {
  Life const life(whole_plan());
  StepRef const fill{.phase = 1, .step = 0};
  CHECK(event_message(life, StepSucceeded{.ref = fill, .rows = 500, .took = 2s}) ==
        "step backfill/fill done in 2s, 500 rows changed");
  CHECK(event_message(life, StepSucceeded{.ref = fill,
                                          .rows = 500,
                                          .took = 2s,
                                          .filled = Filled{.scanned = 9, .changed = 800}}) ==
        "step backfill/fill done in 2s, 500 rows changed (800 by all its attempts)");
}

TEST_CASE("a reversal that was stopped is called that") {
  Life life(whole_plan());
  life.start();
  life.ask(RollBack{});
  life.go_until("index");
  life.ask(Pause{}, "ben");
  life.end_try({.end = AttemptEnd::interrupted, .note = "stopped"});
  life.go_on();
  CHECK(life.message().starts_with(
      "paused by ben; the rollback was begun by ana; the reversal of step expand/index was "
      "interrupted; to go on: "));
}

TEST_CASE("the way back has numbers of its own") {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("index");
  life.end_try({.rows = 3, .took = 40ms, .lock_wait = 5ms, .note = "dropped an invalid index"});
  life.go_on();
  life.ask(RollBack{});
  life.go_until("index");
  auto step = life.step(0, 1);
  CHECK(step["direction"] == "backward");
  CHECK(step["tries"] == 1);
  CHECK(step["rows"].is_null());
  CHECK(step["duration_ms"].is_null());
  CHECK(step["lock_wait_ms"] == 0);
  CHECK(
      life.message().ends_with("the reversal of step expand/index is being carried out, attempt "
                               "2 of this step"));
  CHECK_FALSE(step.contains("message"));
  life.end_try({.took = 7ms, .lock_wait = 2ms});
  step = life.step(0, 1);
  CHECK(step["state"] == "reverted");
  CHECK(step["duration_ms"] == 7);
  CHECK(step["lock_wait_ms"] == 2);
  CHECK(step["attempts"] == 2);  // their numbers go on
}

TEST_CASE("a backfill that was taken back does not show how far it had been") {
  auto life = filling();
  life.end_try({.rows = 300, .filled = forty});
  life.go_on();
  CHECK(fill_step(life).contains("backfill"));
  life.ask(RollBack{.extent = RollBack::Extent::to_phase, .to = "backfill"});
  life.go_on();
  CHECK(fill_step(life)["state"] == "reverted");
  CHECK_FALSE(fill_step(life).contains("backfill"));
}

TEST_CASE("a backfill that got further before each loss of its session is not given up") {
  auto life = filling();
  for (int loss = 1; loss <= 5; ++loss) {
    lose_and_settle(life, Filled{.scanned = loss * 100, .changed = loss, .total = 1000});
    CHECK(life.state.mode == RunMode::running);
    life.go_until("fill");
  }
}

TEST_CASE("a backfill whose session is lost three times at the same place has failed") {
  auto life = filling();
  for (int loss = 1; loss <= 4; ++loss) {
    CHECK(life.state.mode == RunMode::running);
    life.go_until("fill");
    lose_and_settle(life, forty);
  }
  CHECK(life.state.mode == RunMode::failed);
}

}  // namespace
}  // namespace runbookd::tests
