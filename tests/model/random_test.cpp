// Long random lives of larger plans: people, answers and crashes in any order.
#include <algorithm>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/model/properties.h"
#include "tests/model/small_plans.h"

namespace runbookd::tests {
namespace {

using namespace planner;

Action any_action(bool forward) {
  switch (*rc::gen::inRange(0, forward ? 5 : 6)) {
    case 0:
      return concurrent("i");
    case 1:
      return backfill();
    case 2:
      return by_hand();
    case 3:
      return pause_of(std::chrono::seconds{2});
    case 5:
      return NoAction{"nothing to undo"};
    default:
      return ddl("a");
  }
}

Step any_step(int number) {
  Step step;
  step.name = "s" + std::to_string(number);
  step.forward = any_action(true);
  // a step on the target that is not undone on the target would make the world's answer to a
  // rollback a lie
  bool const on_target = !std::holds_alternative<ManualAction>(step.forward) &&
                         !std::holds_alternative<WaitAction>(step.forward);
  step.backward = on_target ? ddl("back") : any_action(false);
  step.skippable = *rc::gen::inRange(0, 3) == 0;
  step.irreversible = *rc::gen::inRange(0, 12) == 0 ? "gone" : "";
  return step;
}

Plan any_plan() {
  Plan plan;
  plan.name = "random";
  int const phases = *rc::gen::inRange(1, 5);
  for (int p = 0; p < phases; ++p) {
    Phase phase;
    phase.name = "p" + std::to_string(p);
    int const steps = *rc::gen::inRange(1, 7);
    for (int i = 0; i < steps; ++i) {
      phase.steps.push_back(any_step(i));
    }
    if (*rc::gen::inRange(0, 3) == 0) {
      phase.validate = {check("v")};
    }
    if (*rc::gen::inRange(0, 4) == 0) {
      phase.requirements = {check("r")};
    }
    if (*rc::gen::inRange(0, 4) == 0) {
      phase.soak = std::chrono::seconds{3};
      phase.watch = {check("w")};
    }
    if (p > 0 && *rc::gen::inRange(0, 4) == 0) {
      phase.approval = Approval{.from = "dba", .count = 1};
    }
    plan.phases.push_back(phase);
  }
  plan.on_failure = *rc::gen::inRange(0, 4) == 0 ? OnFailure::rollback : OnFailure::pause;
  plan.on_restart = *rc::gen::inRange(0, 4) == 0 ? OnRestart::resume : OnRestart::pause;
  return plan;
}

// People mostly let things go their way: else no random life would ever get far.
Move any_move(std::vector<Move> const& moves) {
  std::vector<Move const*> effective;
  for (auto const& move : moves) {
    if (!move.events.empty() && (!move.is_command || *rc::gen::inRange(0, 4) == 0)) {
      effective.push_back(&move);
    }
  }
  if (effective.empty()) {
    for (auto const& move : moves) {
      if (!move.events.empty() && move.name != "cancel") {
        effective.push_back(&move);
      }
    }
  }
  return effective.empty() ? Move{}
                           : *effective[*rc::gen::inRange<std::size_t>(0, effective.size())];
}

}  // namespace

TEST_CASE(
    "random lives of larger plans keep every rule, and replaying any of them gives the same "
    "state") {
  CHECK(rc::check([] {
    auto const plan = any_plan();
    auto node = begin(plan);
    auto const first = node.state;
    Events all;
    std::string path;
    for (int i = 0; i < 60; ++i) {
      auto const moves = every_move(plan, node);
      for (auto const& move : moves) {
        for (auto const& rule : broken_rules(plan, node, move)) {
          RC_FAIL(rule + " — after" + path + ", " + move.name);
        }
      }
      auto const move = any_move(moves);
      if (move.events.empty()) {
        break;
      }
      path += ", " + move.name;
      RC_ASSERT(std::all_of(move.events.begin(), move.events.end(), survives_storage));
      all.insert(all.end(), move.events.begin(), move.events.end());
      node = move.next;
      for (auto const& rule : broken_rules(plan, node)) {
        RC_FAIL(rule + " — after" + path);
      }
    }
    RC_ASSERT(evolve(plan, first, all) == node.state);
  }));
}

TEST_CASE("an event that belongs to another plan changes nothing that matters and never crashes") {
  CHECK(rc::check([] {
    auto const plan = any_plan();
    auto const other = any_plan();
    auto foreign = begin(other);
    auto state = begin(plan).state;
    for (int i = 0; i < 25; ++i) {
      auto const move = any_move(every_move(other, foreign));
      if (move.events.empty()) {
        break;
      }
      foreign = move.next;
      state = evolve(plan, state, move.events);
      (void)intent(plan, state, foreign.world.now);
      (void)actions(plan, state, foreign.world.now);
    }
  }));
}

}  // namespace runbookd::tests
