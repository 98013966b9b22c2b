// Phases and checks of the snapshot. A phase has no state of its own: it follows from where the run
// stands.
#include <algorithm>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_parts.h"
#include "planner/view_people.h"

namespace runbookd::planner::view {
namespace {

using Statuses = std::vector<StepState>;

bool any(Statuses const& steps, StepStatus status) {
  return std::ranges::any_of(steps, [=](StepState const& step) { return step.status == status; });
}

std::string_view done_word(Statuses const& steps) {
  return any(steps, StepStatus::skipped) ? "partly_skipped" : "succeeded";
}

// A phase that nothing is done in: never entered, or entered and taken back.
std::string_view idle_word(Statuses const& steps) {
  if (std::ranges::any_of(steps, &StepState::kept)) {
    return "partly_skipped";
  }
  return any(steps, StepStatus::reverted) ? "reverted" : "pending";
}

std::string_view word_when_reverting(RunState const& state, int phase) {
  auto const& steps = state.steps[phase];
  auto const first = phase == state.rollback_to.phase ? state.rollback_to.step : 0;
  bool const more = std::any_of(steps.begin() + first, steps.end(), executed);
  if (more && state.mode == RunMode::failed && state.current && state.current->phase == phase) {
    return "failed";
  }
  return more ? "reverting" : idle_word(steps);
}

std::string_view gate_word(RunState const& state) {
  auto const idle = idle_word(state.steps[state.phase]);
  bool const ended = is_final(state.mode);
  bool const taken_back = state.mode == RunMode::paused && idle != "pending";
  return ended || taken_back ? idle : "gated";
}

// What a run that was given up leaves of the phase that it was in.
std::string_view abandoned_word(Statuses const& steps) {
  bool const touched = std::ranges::any_of(
      steps, [](StepState const& step) { return step.status != StepStatus::pending; });
  return touched ? "failed" : "pending";
}

std::string_view current_word(RunState const& state) {
  auto const& steps = state.steps[state.phase];
  auto const stopped = state.mode == RunMode::failed      ? "failed"
                       : state.mode == RunMode::cancelled ? abandoned_word(steps)
                                                          : "";
  switch (state.stage) {
    case Stage::baselines:
      return "pending";
    case Stage::gate:
      return gate_word(state);
    case Stage::requirements:
    case Stage::steps:
      return stopped.empty() ? "running" : stopped;
    case Stage::validation:
      return stopped.empty() ? "validating" : stopped;
    case Stage::soak:
      return stopped.empty() ? "soaking" : stopped;
    case Stage::final_checks:
    case Stage::done:
      return done_word(steps);
  }
  __builtin_unreachable();
}

std::string_view phase_word(RunState const& state, int phase) {
  if (state.direction == Direction::backward && phase >= state.rollback_to.phase) {
    return word_when_reverting(state, phase);
  }
  if (phase == state.phase) {
    return current_word(state);
  }
  return phase < state.phase ? done_word(state.steps[phase]) : idle_word(state.steps[phase]);
}

// The last result of every check, found by its place in the plan.
class Results {
 public:
  explicit Results(RunFacts const& facts) : facts_(facts) {
    for (auto const& seen : facts.history->checks) {
      found_[{seen.stage, seen.phase, seen.index}] = &seen;
    }
  }
  Json json(Check const& check, CheckStage stage, int phase, int index) const {
    Json object = Json::object();
    object["stage"] = to_text(stage);
    object["name"] = check.name;
    auto const it = found_.find({stage, phase, index});
    it == found_.end() ? put_open(object) : put_result(object, *it->second);
    if (auto const* made = override_of(facts_, {.stage = stage, .phase = phase, .index = index});
        made != nullptr && object["result"] != "passed") {
      object["overridden"] = {{"instead_of", object["result"]},
                              {"asked_by", made->what.asked_by},
                              {"confirmed_by", made->by},
                              {"reason", made->what.why},
                              {"at", time_json(made->at)}};
      object["result"] = "overridden";
    }
    auto& expected = object["expected"];
    if (!expected.is_string() || expected.get_ref<std::string const&>().empty()) {
      expected = to_text(check.expect);
    }
    return object;
  }
  void add(Json& list, std::vector<Check> const& checks, CheckStage stage, int phase) const {
    for (int i = 0; i < std::ssize(checks); ++i) {
      list.push_back(json(checks[i], stage, phase, i));
    }
  }

 private:
  static void put_open(Json& object) {
    object["result"] = "open";
    object["actual"] = nullptr;
    object["at"] = nullptr;
    object["duration_ms"] = nullptr;
  }
  static void put_result(Json& object, SeenCheck const& seen) {
    object["result"] = to_text(seen.result.verdict);
    object["expected"] = seen.result.expected;
    object["actual"] = seen.result.actual;
    object["at"] = time_json(seen.at);
    object["duration_ms"] = seen.result.took.count();
  }
  RunFacts const& facts_;
  std::map<std::tuple<CheckStage, int, int>, SeenCheck const*> found_;
};

Json approvals_json(RunFacts const& facts, int index) {
  auto const& approval = *facts.plan->phases[index].approval;
  auto const found = facts.history->approvals.find(index);
  auto by = Json::array();
  if (found != facts.history->approvals.end()) {
    by = found->second;
  }
  return {{"needed", approval.count}, {"from", approval.from}, {"by", std::move(by)}};
}

Json steps_of(RunFacts const& facts, int index) {
  auto list = Json::array();
  for (int i = 0; i < std::ssize(facts.plan->phases[index].steps); ++i) {
    list.push_back(step_summary(facts, {.phase = index, .step = i}));
  }
  return list;
}

bool is_soaking(RunState const& state, int index) {
  return state.direction == Direction::forward && state.stage == Stage::soak &&
         state.phase == index && state.not_until.has_value();
}

Json phase_json(RunFacts const& facts, Results const& results, int index) {
  auto const& phase = facts.plan->phases[index];
  auto checks = Json::array();
  results.add(checks, phase.requirements, CheckStage::requirements, index);
  results.add(checks, phase.validate, CheckStage::validation, index);
  results.add(checks, phase.watch, CheckStage::watch, index);
  Json object{{"name", phase.name},
              {"kind", to_text(phase.kind)},
              {"state", phase_word(*facts.state, index)},
              {"goal", phase.goal},
              {"steps", steps_of(facts, index)},
              {"checks", std::move(checks)}};
  if (is_soaking(*facts.state, index)) {
    object["soak_until"] = time_json(*facts.state->not_until);
  }
  if (phase.not_before) {
    object["not_before"] = {{"after", phase.not_before->after},
                            {"wait_ms", phase.not_before->wait.count()}};
  }
  if (phase.soak > Duration{}) {
    object["soak_ms"] = phase.soak.count();
  }
  if (phase.approval) {
    object["approvals"] = approvals_json(facts, index);
  }
  return object;
}

}  // namespace

Json phases_json(RunFacts const& facts) {
  Results const results(facts);
  auto list = Json::array();
  for (int i = 0; i < std::ssize(facts.plan->phases); ++i) {
    list.push_back(phase_json(facts, results, i));
  }
  return list;
}

Json final_checks_json(RunFacts const& facts) {
  auto list = Json::array();
  Results(facts).add(list, facts.plan->final_checks, CheckStage::final_checks, 0);
  return list;
}

}  // namespace runbookd::planner::view
