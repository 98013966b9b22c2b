// What is said of a rollback: why it was begun, what it took back, and what it did not.
#include "planner/view_back.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using nlohmann::json;

RollBack const all_of_it{.extent = RollBack::Extent::all, .to = {}};

Life at_second_gate() {
  Life life(whole_plan());
  life.start();
  return life;
}

Life failed_and_rolled_back_by_plan(std::string const& step) {
  Life life(whole_plan());
  life.plan.on_failure = OnFailure::rollback;
  life.ask(Start{});
  life.go_until(step);
  life.fail_try("23505", "twice");
  life.go_on();
  return life;
}

std::string event_message(Life const& life, EventBody const& body) {
  auto const text = event_json(life.plan, {"run_1"}, 7, {.at = life.now, .body = body});
  return json::parse(text)["message"];
}

TEST_CASE("a rollback that the plan began tells of the failure also when it is done") {
  auto const life = failed_and_rolled_back_by_plan("index");
  CHECK(life.snapshot()["state"] == "rolled_back");
  CHECK(life.message() ==
        "everything that was done is taken back; the rollback was begun after step expand/index "
        "failed: ERROR 23505: twice");
  CHECK(life.snapshot()["failed_because"] == "step expand/index failed: ERROR 23505: twice");
}

TEST_CASE("so does one that a person began, part of the way") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  life.fail_try("23502", "nulls");
  life.ask(RollBack{.extent = RollBack::Extent::to_phase, .to = "backfill"}, "ben");
  life.go_on();
  CHECK(life.snapshot()["state"] == "paused");
  CHECK(life.message().starts_with(
      "paused after a rollback: everything from step backfill/fill on was taken back; the values "
      "that step backfill/fill filled in stay; the rollback was begun by ben, after step "
      "backfill/fill failed: ERROR 23502: nulls; "));
}

TEST_CASE("what a step destroyed is not said to be back because its reversal has run") {
  Life life(whole_plan());
  life.plan.phases[0].steps[0] =
      sql_step("add", "ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ADD COLUMN b int");
  life.start();
  auto const preview =
      json::parse(rollback_preview_json(life.facts(), all_of_it, life.now).value());
  CHECK_FALSE(preview["steps"][0].contains("note"));
  CHECK(preview["steps"][1]["note"] ==
        "the step destroyed column public.t.b: back only as far as this brings it");
  life.ask(RollBack{.extent = RollBack::Extent::all}, "ben");
  life.go_on();
  CHECK(life.message().starts_with(
      "everything that was done is taken back; back only as far as the plan's reversals bring it: "
      "column public.t.b (step expand/add)"));
}

TEST_CASE("a preview does not promise what the verb refuses") {
  auto life = at_second_gate();
  auto const message = [&] {
    auto const preview = rollback_preview_json(life.facts(), all_of_it, life.now);
    return json::parse(preview.value())["message"].get<std::string>();
  };
  CHECK(message() ==
        "2 steps would be taken back, newest first; then the run is rolled back and ends.");
  life.ask(Advance{.to_phase = "backfill"});
  CHECK(message().starts_with(
      "Refused now: the run is running; pause it first. Otherwise: 2 steps would be taken back"));
  life.go_until("fill");
  life.end_try({.end = AttemptEnd::fenced,
                .failure = SqlFailure{.sqlstate = std::string(store_behind_code),
                                      .message = "the target knows more of this run"}});
  CHECK(message().starts_with("Refused now: the target knows more of this run than this store"));
}

TEST_CASE("the failure is told until the run goes forward again") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  life.fail_try("23502", "nulls");
  life.ask(RollBack{.extent = RollBack::Extent::to_phase, .to = "backfill"});
  life.go_on();
  life.ask(Resume{});
  CHECK_FALSE(life.snapshot().contains("failed_because"));
}

TEST_CASE("a reversal that fails does not hide why the way back was gone") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  life.fail_try("23502", "nulls");
  life.ask(RollBack{.extent = RollBack::Extent::all});
  life.go_until("index");
  life.fail_try("55000", "no");
  CHECK(life.message().starts_with(
      "the reversal of step expand/index failed: ERROR 55000: no; the rollback was begun by "
      "ana, after step backfill/fill failed: ERROR 23502: nulls; to try again: "));
}

TEST_CASE("where nothing had been done, nothing is said to be taken back") {
  auto const life = failed_and_rolled_back_by_plan("add");
  CHECK(life.snapshot()["state"] == "rolled_back");
  CHECK(life.message().starts_with(
      "nothing had been done, so there was nothing to take back; the rollback was begun after "));
}

TEST_CASE("a step whose reversal was left out is said to stand, with its name") {
  auto life = at_second_gate();
  life.ask(RollBack{.extent = RollBack::Extent::all});
  life.go_until("index");
  life.fail_try("55000", "no");
  life.ask(Skip{"index"}, "ben", "harmless");
  CHECK(life.step(0, 1)["kept"] == true);
  CHECK(life.step(0, 1)["message"] == "left standing by ben: harmless");
  life.go_until("add");
  life.end_try({.fingerprint = "schema"});
  CHECK(life.message() ==
        "step expand/add was taken back; step expand/index stands: its reversal was left out; "
        "the rollback was begun by ana");
}

TEST_CASE("the two ways of skipping have words of their own in events") {
  Life const life(whole_plan());
  CHECK(event_message(life, StepSkipped{}) == "step expand/add skipped: it is not run");
  CHECK(event_message(life, StepSkipped{.direction = Direction::backward}) ==
        "the reversal of step expand/add left out: the step stands");
  CHECK(event_message(life, StepSkipped{.direction = Direction::backward, .reversed = true}) ==
        "step expand/add is taken back; the schema is taken as it is now");
}

TEST_CASE("the end of a rollback does not claim what it cannot know") {
  Life const life(whole_plan());
  CHECK(event_message(life, RollbackFinished{}) ==
        "rollback finished: the run stands before step expand/add again");
  CHECK(event_message(life, RollbackStarted{}) ==
        "rollback begun: what was done from step expand/add on is to be taken back");
}

TEST_CASE("a step that is taken back already, only not to the same schema, is not previewed") {
  auto life = at_second_gate();
  life.ask(RollBack{});
  life.go_until("index");
  life.end_try({.fingerprint = "other"});
  auto const preview =
      json::parse(rollback_preview_json(life.facts(), all_of_it, life.now).value());
  REQUIRE(preview["steps"].size() == 1);
  CHECK(preview["steps"][0]["label"] == "expand/add");
  CHECK(preview["message"].get<std::string>().starts_with(
      "Refused now: step expand/index is taken back already, but the schema is not what it was "
      "before it. Mend it and: runbookctl retry run_0a1b2c3d4e5f expand/index; or take it as it "
      "is: runbookctl skip run_0a1b2c3d4e5f expand/index --reason TEXT. Then: 1 step would"));
}

TEST_CASE("a difference of the schema that was taken as it is, is recorded as that") {
  auto life = at_second_gate();
  life.ask(RollBack{});
  life.go_until("index");
  life.end_try({.fingerprint = "other"});
  auto const decided = decide(life.plan, life.state,
                              {.ask = Skip{"index"}, .actor = "ben", .reason = "fine"}, life.now);
  REQUIRE(decided.has_value());
  CHECK(std::get<StepSkipped>(decided->front().body).reversed);
  life.take(*decided);
  auto const shown = json::parse(step_json(life.facts(), {.phase = 0, .step = 1}));
  CHECK(shown["state"] == "reverted");
  CHECK(shown["attempts"].back()["result"] == "accepted");
}

}  // namespace
}  // namespace runbookd::tests
