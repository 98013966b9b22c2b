// A gate opens on fresh evidence: what one phase has shown is judged again before the next begins.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/event_json.h"
#include "planner/run_rules.h"
#include "planner/view_event_words.h"
#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;

Life at_second_gate() {
  Life life(whole_plan());
  life.start();
  return life;
}

// The checks before phase `backfill` are under way.
Life entering() {
  auto life = at_second_gate();
  life.now += 72h;
  life.ask(Advance{.to_phase = "backfill"});
  life.announce();
  return life;
}

RunChecks wanted_checks(Life const& life) {
  auto const wanted = intent(life.plan, life.state, life.now);
  REQUIRE(std::holds_alternative<RunChecks>(wanted));
  return std::get<RunChecks>(wanted);
}

void answer(Life& life, std::vector<Verdict> const& verdicts) {
  auto const wanted = wanted_checks(life);
  auto const asked = checks_of(life.plan, wanted.stage, wanted.phase);
  ChecksRun run{.stage = wanted.stage, .phase = wanted.phase, .which = wanted.which};
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    bool const good = verdicts[i] == Verdict::passed;
    run.results.push_back({.name = asked[static_cast<std::size_t>(wanted.which[i])].name,
                           .verdict = verdicts[i],
                           .expected = "value 0",
                           .actual = good ? "value 0" : "value 17"});
  }
  REQUIRE(run.which.size() == run.results.size());
  life.tell(run);
}

TEST_CASE("what a phase has shown is judged again before the next one begins") {
  auto life = entering();
  CHECK(wanted_checks(life).stage == CheckStage::requirements);
  CHECK(wanted_checks(life).phase == 1);
  CHECK(wanted_checks(life).which == std::vector{0});
  CHECK(life.message() ==
        "checking again what phase expand has shown: 1 check before phase backfill begins");
  answer(life, {Verdict::passed});
  CHECK(life.state.stage == Stage::steps);
  CHECK(life.phase(0)["checks"][1]["at"] == to_rfc3339(life.now));
}

TEST_CASE("the requirements of a phase come first, then all that the phase before has shown") {
  auto plan = whole_plan();
  plan.phases[2].requirements = {plan.phases[0].requirements[0]};
  std::string names;
  for (auto const& placed : checks_of(plan, CheckStage::requirements, 2)) {
    names += placed.name + " ";
  }
  CHECK(names == "ready backfill/slow backfill/errors ");
  CHECK(checks_of(plan, CheckStage::requirements, 0).size() == 1);
  CHECK(checks_of(plan, CheckStage::requirements, 3).empty());
}

TEST_CASE("what broke while the gate stood shut is named, and nothing of the next phase begins") {
  auto life = entering();
  answer(life, {Verdict::failed});
  CHECK(life.state.mode == RunMode::failed);
  CHECK(life.message() ==
        "check expand/valid (the validation of phase expand, judged again before phase backfill "
        "begins) failed: expected value 0, found value 17; once that is mended: runbookctl "
        "evaluate run_0a1b2c3d4e5f; rollback and cancel fit too");
  CHECK(life.phase(0)["checks"][1]["result"] == "failed");
  CHECK(life.step(1, 0)["state"] == "pending");
  CHECK(life.state.at({1, 0}).attempts == 0);
}

TEST_CASE("once it is mended everything is judged again, and the phase begins") {
  auto life = entering();
  answer(life, {Verdict::failed});
  life.now += 24h;
  life.ask(Evaluate{});
  CHECK(wanted_checks(life).which == std::vector{0});
  answer(life, {Verdict::passed});
  CHECK(life.state.stage == Stage::steps);
  life.go_until("fill");
}

TEST_CASE("an answer that breaks at a gate takes nothing back by itself") {
  auto life = entering();
  life.plan.on_failure = OnFailure::rollback;
  answer(life, {Verdict::error});
  CHECK(life.state.mode == RunMode::failed);
  CHECK(life.state.direction == Direction::forward);
  CHECK(life.state.at({0, 0}).status == StepStatus::succeeded);
}

TEST_CASE("a pause or the daemon's death between the checks has all of them judged again") {
  auto life = entering();
  SUBCASE("a pause") {
    life.ask(Pause{});
    life.go_on();
  }
  SUBCASE("a death") { life.tell(Restarted{}); }
  REQUIRE(life.state.mode == RunMode::paused);
  life.now += 24h;
  life.ask(Resume{});
  CHECK(life.state.stage == Stage::requirements);
  CHECK(wanted_checks(life).which == std::vector{0});
}

TEST_CASE("a step of a run that an earlier version let through its gate goes on where it stood") {
  auto life = at_second_gate();
  auto const old = body_from_json("phase.entered", R"({"phase":1})");
  REQUIRE(old);
  life.take({{.at = life.now, .actor = "ana", .body = *old}});
  CHECK(life.state.stage == Stage::steps);
  life.go_until("fill");
  CHECK(life.state.current == StepRef{1, 0});
}

TEST_CASE("requirements that an earlier version has judged let the phase begin as they did") {
  auto life = at_second_gate();
  life.plan.phases[1].requirements = {life.plan.phases[0].requirements[0]};
  life.take({{.at = life.now, .actor = "ana", .body = PhaseEntered{.phase = 1}}});
  CHECK(life.state.stage == Stage::requirements);
  life.take({{.at = life.now,
              .body = ChecksJudged{.stage = CheckStage::requirements,
                                   .phase = 1,
                                   .which = {0},
                                   .results = {{.name = "ready", .verdict = Verdict::passed}},
                                   .passed = true}}});
  CHECK(life.state.stage == Stage::steps);
  CHECK(life.phase(1)["checks"][0]["result"] == "passed");
}

TEST_CASE("the record says what was judged before a phase") {
  auto plan = whole_plan();
  auto const words = [&](EventBody const& body) { return view::event_words(plan, body); };
  ChecksStarted const begun{.stage = CheckStage::requirements, .phase = 1, .which = {0}};
  CHECK(words(begun) == "what phase expand has shown: 1 check begun");
  plan.phases[1].requirements = {plan.phases[0].requirements[0]};
  CHECK(words(begun) == "the requirements of phase backfill: 1 check begun");
  ChecksJudged const judged{
      .stage = CheckStage::requirements, .phase = 1, .which = {0, 1}, .passed = true};
  CHECK(words(judged) == "what phase expand has shown and what phase backfill requires: passed");
}

}  // namespace
}  // namespace runbookd::tests
