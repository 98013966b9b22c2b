// What the snapshot says when things go wrong, and what it remembers of it.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/view.h"
#include "planner/view_checks.h"
#include "planner/view_event_words.h"
#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;
using nlohmann::json;

Life trying_add() {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  return life;
}

Life at_second_gate() {
  Life life(whole_plan());
  life.start();
  return life;
}

AttemptEnded busy() {
  return {.end = AttemptEnd::busy,
          .took = 210ms,
          .lock_wait = 200ms,
          .failure = SqlFailure{.sqlstate = "55P03",
                                .message = "canceling statement\tdue to lock timeout"},
          .blockers = {{.pid = 12, .application = "psql"}}};
}

ChecksRun one_failed(CheckStage stage, int phase, std::vector<int> which) {
  ChecksRun run{.stage = stage, .phase = phase, .which = std::move(which)};
  run.results = {
      {.name = "valid", .verdict = Verdict::failed, .expected = "value 0", .actual = "value 17"}};
  return run;
}

json attempts_of(Life const& life, StepRef ref) {
  return json::parse(step_json(life.facts(), ref))["attempts"];
}

TEST_CASE("a target that is away is named with what waits for it") {
  Life life(whole_plan());
  life.start();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  life.live.unreachable = "target main cannot be reached: nothing listens there";
  CHECK(life.message() ==
        "step backfill/fill is being carried out, attempt 1; waiting for the target, for a minute "
        "at most: target main cannot be reached: nothing listens there");
  CHECK(life.snapshot()["current"]["activity"] == "connecting");
}

TEST_CASE("a lock that was not to be had: the step says why, the run says when it tries again") {
  auto life = trying_add();
  life.end_try(busy());
  auto const run = life.snapshot();
  CHECK(run["current"]["activity"] == "backing_off");
  CHECK(run["waiting_on"][0]["kind"] == "timer");
  CHECK(run["waiting_on"][0]["until"] == to_rfc3339(*life.state.not_until));
  CHECK(life.step(0, 0)["message"] == "ERROR 55P03: canceling statement due to lock timeout");
  CHECK(life.message() ==
        "step expand/add did not get its lock (held by pid 12 (psql)); the next try is at " +
            to_rfc3339(*life.state.not_until));
}

TEST_CASE("tries for a lock are counted and their waits added up") {
  auto life = trying_add();
  life.end_try(busy());
  life.now = *life.state.not_until;
  life.announce();
  life.end_try(busy());
  life.now = *life.state.not_until;
  life.announce();
  life.end_try({.took = 30ms, .lock_wait = 50ms});
  auto const step = life.step(0, 0);
  CHECK(step["attempts"] == 3);
  CHECK(step["tries_for_lock"] == 3);
  CHECK(step["lock_wait_ms"] == 450);
  CHECK(step["duration_ms"] == 450);
  auto const attempts = attempts_of(life, {});
  CHECK(attempts[0]["result"] == "retry_scheduled");
  CHECK(attempts[0]["failure"]["condition"] == "lock_not_available");
  CHECK(attempts[0]["blockers"][0]["pid"] == 12);
  CHECK(attempts[2]["result"] == "succeeded");
}

TEST_CASE("a failed step: the message says what failed, why, and how to try again") {
  auto life = trying_add();
  life.fail_try("23502", "column \"a\" contains null values");
  CHECK(life.message() ==
        "step expand/add failed: ERROR 23502: column \"a\" contains null values; to try again: "
        "runbookctl retry run_0a1b2c3d4e5f expand/add; cancel fits too");
  CHECK(life.phase(0)["state"] == "failed");
  CHECK(life.step(0, 0)["message"] == "ERROR 23502: column \"a\" contains null values");
  CHECK(life.snapshot()["waiting_on"][0]["kind"] == "retry");
}

TEST_CASE("after a retry the problem is gone from the message") {
  auto life = trying_add();
  life.fail_try("23502", "nulls");
  life.ask(Retry{});
  CHECK(life.history.problem.empty());
  life.go_on();
  CHECK(life.snapshot()["state"] == "waiting");
}

TEST_CASE("a failed check is named with what was expected and what was found") {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("index");
  life.end_try({});
  life.announce();
  life.tell(one_failed(CheckStage::validation, 0, {0}));
  CHECK(
      life.message() ==
      "check valid (the validation of phase expand) failed: expected value 0, found value 17; once "
      "that is mended: runbookctl evaluate run_0a1b2c3d4e5f; rollback and cancel fit too");
  CHECK(life.phase(0)["state"] == "failed");
  CHECK(life.phase(0)["checks"][1]["result"] == "failed");
  CHECK(life.phase(0)["checks"][0]["result"] == "passed");
}

TEST_CASE("a watch's result replaces that watch's last result only") {
  Life life(whole_plan());
  life.take({{.at = life.now,
              .body = ChecksJudged{
                  .stage = CheckStage::watch,
                  .phase = 1,
                  .which = {0, 1},
                  .results = {{.name = "slow", .verdict = Verdict::passed, .actual = "a"},
                              {.name = "errors", .verdict = Verdict::passed, .actual = "b"}},
                  .passed = true}}});
  life.take({{.at = life.now + 5s,
              .body = ChecksJudged{
                  .stage = CheckStage::watch,
                  .phase = 1,
                  .which = {1},
                  .results = {{.name = "errors", .verdict = Verdict::passed, .actual = "c"}},
                  .passed = true}}});
  auto const checks = life.phase(1)["checks"];
  CHECK(checks[0]["actual"] == "a");
  CHECK(checks[1]["actual"] == "c");
  CHECK(checks[0]["at"] == to_rfc3339(life.now));
  CHECK(checks[1]["at"] == to_rfc3339(life.now + 5s));
}

TEST_CASE("a rejection names who and why, and how to open the gate again") {
  auto life = at_second_gate();
  life.plan.phases[1].approval = Approval{.from = "dba", .count = 1};
  life.ask(Reject{"backfill"}, "ben", "month end");
  CHECK(
      life.message() ==
      "phase backfill was rejected by ben: month end; to open the gate again: runbookctl evaluate "
      "run_0a1b2c3d4e5f; rollback and cancel fit too");
}

TEST_CASE("a gate that is reached again forgets its approvals") {
  auto life = at_second_gate();
  life.take({{.at = life.now, .actor = "ben", .body = PhaseApproved{2}}});
  CHECK(life.phase(2)["approvals"]["by"] == json{"ben"});
  life.take({{.at = life.now, .body = GateReached{2}}});
  CHECK(life.phase(2)["approvals"]["by"].empty());
}

TEST_CASE("a pause says who, why and how to go on") {
  auto life = trying_add();
  life.ask(Pause{.escalate_after = 30s}, "ben", "p99 is up");
  CHECK(life.snapshot()["escalate_at"] == to_rfc3339(life.now + 30s));
  CHECK(life.message().starts_with(
      "pausing by ben: p99 is up; waiting for a safe point of step expand/add"));
  life.end_try({});
  life.go_on();
  CHECK(life.message() == "paused by ben: p99 is up; to go on: runbookctl resume run_0a1b2c3d4e5f");
  CHECK(life.snapshot()["last_reason"] == "p99 is up");
}

TEST_CASE("state_since moves with the state and not with every event") {
  auto life = trying_add();
  auto const since = life.history.state_since;
  life.now += 1min;
  life.end_try(busy());
  CHECK(life.history.state_since == since);
  CHECK(life.history.last_change == life.now);
  life.ask(Pause{});
  CHECK(life.history.state_since == life.now);
}

TEST_CASE("a daemon that was restarted says why the run stands still") {
  auto life = trying_add();
  life.tell(Restarted{});
  life.announce();
  life.tell(DoubtAnswered{.attempt = 1, .answer = Doubt::not_applied, .evidence = "no marker"});
  CHECK(life.snapshot()["state"] == "paused");
  CHECK(life.message() ==
        "paused: the daemon was restarted; the plan says to wait for a person; step expand/add was "
        "interrupted; to go on: runbookctl resume run_0a1b2c3d4e5f");
  CHECK(attempts_of(life, {})[0]["result"] == "interrupted");
}

TEST_CASE(
    "a session left behind is named while it is waited for, and an interruption asks at once") {
  auto life = trying_add();
  life.end_try({.end = AttemptEnd::lost, .failure = SqlFailure{.message = "connection reset"}});
  life.live.orphan = "our old session still works in the server, pid 7: ALTER TABLE";
  CHECK(life.message() ==
        "finding out how step expand/add ended: our old session still works in the server, pid 7: "
        "ALTER TABLE");
  life.tell(DoubtUnanswered{.failure = {.message = life.live.orphan}});
  CHECK(life.message().starts_with(
      "how step expand/add ended is not known yet: our old session still works in the server, pid "
      "7: ALTER TABLE; asked again at "));
  CHECK(std::holds_alternative<WaitUntil>(intent(life.plan, life.state, life.now)));
  life.ask(Pause{.mode = StopMode::now});
  CHECK(std::holds_alternative<ResolveDoubt>(intent(life.plan, life.state, life.now)));
  life.tell(DoubtUnanswered{.failure = {.message = "connection refused"}});
  CHECK(std::holds_alternative<Quiesce>(intent(life.plan, life.state, life.now)));
}

TEST_CASE("an outcome that nobody knows asks for a person's eyes") {
  auto life = trying_add();
  life.end_try({.end = AttemptEnd::lost, .failure = SqlFailure{.message = "connection reset"}});
  CHECK(life.message() == "finding out how step expand/add ended");
  life.tell(
      DoubtAnswered{.attempt = 1, .answer = Doubt::unknowable, .evidence = "no marker table"});
  CHECK(life.message() ==
        "nobody knows how step expand/add ended: no marker table; look at the database, then say "
        "what "
        "you saw: runbookctl resolve run_0a1b2c3d4e5f expand/add --as succeeded|failed --evidence "
        "TEXT");
  CHECK(life.snapshot()["waiting_on"][0]["kind"] == "resolve");
  CHECK(life.step(0, 0)["state"] == "unknown");
  life.ask(Resolve{.step = "add", .succeeded = true, .evidence = "column is there"}, "ben");
  CHECK(attempts_of(life, {})[0]["result"] == "succeeded");
  CHECK(life.message().starts_with(
      "paused: step expand/add was declared done by ben: column is there"));
}

TEST_CASE("a problem that ends in a statement is followed by one semicolon") {
  Life life(whole_plan());
  life.ask(Start{});
  life.tell(
      BaselinesRead{.failure = SqlFailure{.sqlstate = "42501", .message = "first: GRANT x TO y;"},
                    .failed_name = "schema runbookd"});
  CHECK(life.message().find("GRANT x TO y; once that is mended: runbookctl start") !=
        std::string::npos);
}

TEST_CASE("a skipped step keeps the reason") {
  Life life(whole_plan());
  life.plan.phases[0].steps[0].skippable = true;
  life.ask(Start{});
  life.go_until("add");
  life.fail_try("42701", "exists");
  life.ask(Skip{"add"}, "ben", "done by hand last week");
  CHECK(life.step(0, 0)["state"] == "skipped");
  CHECK(life.step(0, 0)["message"] == "skipped by ben: done by hand last week");
  CHECK(life.step(0, 0)["attempts"] == 1);
  life.go_on();
  CHECK(life.phase(0)["state"] == "partly_skipped");
}

TEST_CASE("rolling back: phases revert, and are reverted when it is done") {
  auto life = at_second_gate();
  life.ask(RollBack{.extent = RollBack::Extent::all}, "ana", "wrong day");
  CHECK(life.phase(0)["state"] == "reverting");
  CHECK(life.snapshot()["direction"] == "backward");
  CHECK(life.message().starts_with("rolling back by ana: wrong day; "));
  life.go_until("index");
  CHECK(life.snapshot()["current"]["direction"] == "backward");
  life.go_on();
  CHECK(life.snapshot()["state"] == "rolled_back");
  CHECK(life.phase(0)["state"] == "reverted");
  CHECK(life.message() ==
        "everything that was done is taken back; the rollback was begun by ana: wrong day");
}

TEST_CASE("a rollback that was paused goes on telling who began it and why") {
  auto life = at_second_gate();
  life.ask(RollBack{.extent = RollBack::Extent::all}, "ana", "wrong day");
  life.go_until("index");
  life.ask(Pause{}, "ben", "lunch");
  life.end_try({.end = AttemptEnd::interrupted});
  life.go_on();
  CHECK(life.message().starts_with(
      "paused by ben: lunch; the rollback was begun by ana: wrong day; the reversal of "));
  life.ask(Resume{}, "cleo");
  CHECK(life.message().starts_with("rolling back by ana: wrong day; "));
  life.go_until("index");
  life.fail_try("22012", "division by zero");
  CHECK(life.message().find("; the rollback was begun by ana: wrong day; to try again") !=
        std::string::npos);
}

TEST_CASE("a rollback that the plan begins by itself tells of the failure until it ends") {
  Life life(whole_plan());
  life.plan.on_failure = OnFailure::rollback;
  life.ask(Start{});
  life.go_until("index");
  life.fail_try("23505", "twice");
  CHECK(life.snapshot()["direction"] == "backward");
  life.go_until("add");
  CHECK(life.message().starts_with(
      "rolling back, because step expand/index failed: ERROR 23505: twice; "));
}

TEST_CASE("what was checked before a rollback is open again after it") {
  auto life = at_second_gate();
  life.ask(RollBack{.extent = RollBack::Extent::to_step, .to = "expand/index"});
  life.go_on();
  CHECK(life.phase(0)["checks"][0]["result"] ==
        "passed");  // the requirements of a phase that stays entered
  CHECK(life.phase(0)["checks"][1]["result"] == "open");
  CHECK(
      life.message().starts_with("paused after a rollback: everything from step expand/index on "
                                 "was taken back; the rollback was "
                                 "begun by ana; to go on"));
}

TEST_CASE("a schema that is not given back shows both fingerprints and the difference") {
  auto life = at_second_gate();
  life.ask(RollBack{});
  life.go_until("index");
  life.end_try({.fingerprint = "other"});
  life.live.mismatch_diff = "+ index i";
  auto const shown = life.snapshot()["mismatch"];
  CHECK(shown["expected"] == "schema expand/add");
  CHECK(shown["actual"] == "other");
  CHECK(shown["diff"] == "+ index i");
  CHECK(shown["step"] == "index");
  CHECK(life.message().starts_with(
      "step expand/index was taken back, but the schema is not what it was"));
  CHECK(life.phase(0)["state"] == "failed");
  life.ask(Skip{"index"}, "ben", "harmless");
  CHECK_FALSE(life.snapshot().contains("mismatch"));
}

TEST_CASE("a cancelled run says by whom, and that the database stays as it is") {
  auto life = at_second_gate();
  life.ask(Cancel{"add-currency"}, "ben", "not needed");
  life.go_on();
  CHECK(life.message() == "cancelled by ben: not needed; what was done stays as it is");
}

TEST_CASE("commands that a refusal brings are told whole, each in a line of its own") {
  Life life(whole_plan());
  life.ask(Start{});
  auto const grant = "GRANT SELECT ON " + std::string(600, 't') + " TO weak;  -- expand/add";
  life.tell(BaselinesRead{
      .failure = SqlFailure{.sqlstate = "42501",
                            .message = "role weak lacks rights\n  " + grant + "\n  GRANT USAGE"},
      .failed_name = "target check"});
  CHECK(life.message().find("role weak lacks rights; once that is mended") != std::string::npos);
  CHECK(life.snapshot()["details"] == nlohmann::json::array({"  " + grant, "  GRANT USAGE"}));
  life.ask(Start{});
  CHECK_FALSE(life.snapshot().contains("details"));
}

TEST_CASE("a baseline that fails is told while the run waits to be started again") {
  Life life(whole_plan());
  life.ask(Start{});
  life.tell(BaselinesRead{.failure = SqlFailure{.sqlstate = "42P01", .message = "no t"},
                          .failed_name = "total"});
  CHECK(life.message() ==
        "baseline total could not be recorded: ERROR 42P01: no t; once that is mended: runbookctl "
        "start run_0a1b2c3d4e5f");
}

TEST_CASE("a target that cannot be reached at the start is no baseline") {
  Life life(whole_plan());
  life.ask(Start{});
  life.tell(BaselinesRead{.failure = SqlFailure{.message = "connection refused"},
                          .failed_name = "connection"});
  CHECK(life.message() ==
        "target main could not be reached: connection refused; see that the server is up and that "
        "the daemon's configuration of the target is right; once that is mended: runbookctl start "
        "run_0a1b2c3d4e5f");
  auto const named = view::not_started_words(
      {.name = "connection", .failure = {.message = "target main (host=x) cannot be reached"}},
      "main");
  CHECK(named.starts_with("target main (host=x) cannot be reached; see that the server is up"));
  CHECK(view::not_started_words({.name = "target check", .failure = {.message = "a standby"}},
                                "main") == "target main cannot carry this plan: a standby");
  CHECK(view::not_started_words({.name = "baseline total", .failure = {.message = "no t"}}, "") ==
        "baseline total could not be recorded: no t");
}

TEST_CASE("of several checks that fail the first is told in full, the others by name") {
  auto life = at_second_gate();
  ChecksJudged judged{.stage = CheckStage::validation, .phase = 0, .which = {0, 1, 2, 3}};
  judged.results = {
      {.name = "valid", .verdict = Verdict::failed, .expected = "value 0", .actual = "value 17"},
      {.name = "fine", .verdict = Verdict::passed},
      {.name = "nulls", .verdict = Verdict::failed},
      {.name = "rows", .verdict = Verdict::error}};
  life.take({{.at = life.now, .body = judged}});
  auto const others = "; 2 others did not pass: nulls, rows";
  CHECK(life.message().starts_with(
      std::string("check valid (the validation of phase expand) failed: expected value 0, found "
                  "value 17") +
      others + "; to open the gate again"));
  auto const told = json::parse(event_json(life.plan, {"run_1"}, 7, {.body = judged}));
  CHECK(told["message"] ==
        std::string("the validation of phase expand: check valid failed, expected value 0, found "
                    "value 17") +
            others);
}

TEST_CASE("of very many failed checks some are named and all are counted") {
  std::vector<CheckResult> many(40, {.name = "c", .verdict = Verdict::failed});
  CHECK(view::others_failed(many) == "; 39 others did not pass: c, c, c, c, c, …");
}

TEST_CASE("a failed run names every verb that fits, and none that does not") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  life.plan.phases[1].steps[0].skippable = true;
  life.fail_try("23502", "nulls");
  CHECK(life.message().ends_with("; skip, rollback and cancel fit too"));
  auto const verbs = life.snapshot()["actions"];
  CHECK(verbs["skip"]["allowed"] == true);
  CHECK(verbs["rollback"]["allowed"] == true);
  CHECK(verbs["cancel"]["allowed"] == true);
}

TEST_CASE("the preview of a rollback goes newest first and shows each way back") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_on();
  auto const preview = json::parse(
      rollback_preview_json(life.facts(), {.extent = RollBack::Extent::all}, life.now).value());
  REQUIRE(preview["steps"].size() == 3);
  CHECK(preview["steps"][0]["label"] == "backfill/fill");
  CHECK(preview["steps"][0]["note"] == "the values that were filled in stay: nobody reads them");
  CHECK(preview["steps"][1]["sql"] == "DROP INDEX CONCURRENTLY i");
  CHECK(preview["message"] ==
        "3 steps would be taken back, newest first; then the run is rolled back and ends.");
}

}  // namespace
}  // namespace runbookd::tests
